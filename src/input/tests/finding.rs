//! Paths lead to the sources that a person means, each once.

use std::fs;

use super::{Folder, text_of};
use crate::input::limits::FOLDER_DEPTH;
use crate::input::{Document, InputErrorKind, discover};

#[test]
fn a_folder_gives_all_that_is_in_it_sorted_and_nothing_hidden() {
    let folder = Folder::new();
    for name in [
        "b.csv",
        "a/2.csv",
        "a/1.csv",
        "a/deep/x.tsv",
        "B.csv",
        ".hidden.csv",
        ".git/config.csv",
        "__MACOSX/b.csv",
        "~$book.xlsx",
    ] {
        folder.write(name, "x,y\n");
    }
    let found = folder.discover(&[""]).expect("found");
    assert_eq!(found.problems, []);
    assert_eq!(
        folder.source_names(&found),
        ["B.csv", "a/1.csv", "a/2.csv", "a/deep/x.tsv", "b.csv"]
    );
    let source = &found.sources[3];
    assert_eq!(source.file_name(), "x.tsv");
    assert_eq!(
        source.path(),
        Some(folder.path().join("a/deep/x.tsv").as_path())
    );
    assert_eq!(source.size_bytes(), Some(4));
    assert!(source.can_reopen() && !source.is_workbook());
}

#[test]
fn a_hidden_file_that_is_named_is_taken() {
    let folder = Folder::new();
    assert_eq!(
        text_of(&folder.one(".hidden.csv", "a,b\n")).expect("reads"),
        "a,b\n"
    );
}

#[test]
fn a_file_that_is_named_twice_counts_once() {
    let folder = Folder::new();
    let path = folder.write("in/a.csv", "x\n");
    fs::hard_link(&path, folder.path().join("in/hard.csv")).expect("a hard link");
    let found = folder
        .discover(&["in/a.csv", "in/../in/./a.csv", "in", "in/*.csv"])
        .expect("found");
    assert_eq!(folder.source_names(&found), ["in/a.csv"]);
    let stdin = discover(&["-".to_owned(), "-".to_owned()]).expect("found");
    assert_eq!(stdin.sources.len(), 1);
    let source = &stdin.sources[0];
    assert_eq!(
        (source.name(), source.path(), source.can_reopen()),
        ("-", None, false)
    );
}

#[test]
fn two_files_with_the_same_bytes_are_two() {
    let folder = Folder::new();
    folder.write("a.csv", "x\n");
    folder.write("b.csv", "x\n");
    assert_eq!(folder.discover(&[""]).expect("found").sources.len(), 2);
}

#[test]
fn a_glob_gives_what_it_fits_and_a_path_with_such_a_name_itself() {
    let folder = Folder::new();
    for name in [
        "a1.csv",
        "a2.csv",
        "b.csv",
        "[x].csv",
        "sub/a3.csv",
        ".a4.csv",
    ] {
        folder.write(name, "x\n");
    }
    let names = |pattern| {
        let found = folder.discover(&[pattern]).expect("found");
        folder.source_names(&found)
    };
    assert_eq!(names("a*.csv"), ["a1.csv", "a2.csv"]);
    assert_eq!(names("a?.csv"), ["a1.csv", "a2.csv"]);
    assert_eq!(names("**/a[23].csv"), ["a2.csv", "sub/a3.csv"]);
    assert_eq!(names("[x].csv"), ["[x].csv"]);
    assert_eq!(
        names("s*"),
        ["sub/a3.csv"],
        "a folder that fits is searched"
    );
}

#[test]
fn what_does_not_exist_is_an_error_that_names_it() {
    let folder = Folder::new();
    let error = folder.discover(&["missing.csv"]).expect_err("missing");
    assert_eq!(error.kind(), &InputErrorKind::NotFound);
    assert!(
        error
            .to_string()
            .contains("missing.csv: there is no such file"),
        "{error}"
    );
    let error = folder.discover(&["*.csv"]).expect_err("no match");
    assert_eq!(error.kind(), &InputErrorKind::NoMatch);
    let error = folder.discover(&["[.csv"]).expect_err("broken");
    assert!(
        matches!(error.kind(), InputErrorKind::BadPattern(_)),
        "{error}"
    );
}

#[test]
fn a_problem_does_not_hold_up_the_others() {
    let folder = Folder::new();
    folder.write("a.csv", "x\n");
    folder.write("b.pdf", "%PDF-1.4");
    folder.write("c.csv", "y\n");
    let found = folder.discover(&[""]).expect("found");
    assert_eq!(folder.source_names(&found), ["a.csv", "c.csv"]);
    assert_eq!(folder.problem_names(&found), ["b.pdf"]);
}

#[test]
fn a_file_that_vanishes_is_an_error_when_it_is_opened() {
    let folder = Folder::new();
    let source = folder.one("a.csv", "x\n");
    fs::remove_file(folder.path().join("a.csv")).expect("removed");
    let error = Document::open(&source, None).expect_err("gone");
    assert_eq!(error.kind(), &InputErrorKind::NotFound);
    assert_eq!(error.source_name(), source.name());
}

#[test]
fn folders_too_deep_inside_each_other_are_a_problem() {
    let folder = Folder::new();
    let deep = "d/".repeat(FOLDER_DEPTH + 1);
    folder.write(&format!("{deep}a.csv"), "x\n");
    folder.write("d/b.csv", "x\n");
    let found = folder.discover(&["d"]).expect("found");
    assert_eq!(folder.source_names(&found), ["d/b.csv"]);
    assert!(matches!(
        found.problems[0].kind(),
        InputErrorKind::TooLarge(_)
    ));
}

#[cfg(unix)]
mod on_unix {
    use std::fs;
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::super::Folder;
    use crate::input::InputErrorKind;

    #[test]
    fn a_loop_of_links_is_noticed_and_everything_read_once() {
        let folder = Folder::new();
        folder.write("in/a.csv", "x\n");
        folder.write("in/sub/b.csv", "x\n");
        symlink("..", folder.path().join("in/sub/back")).expect("a link");
        symlink(folder.path().join("in"), folder.path().join("in/self")).expect("a link");
        let found = folder.discover(&["in"]).expect("found");
        assert_eq!(folder.source_names(&found), ["in/a.csv", "in/sub/b.csv"]);
        assert_eq!(folder.problem_names(&found), ["in/self", "in/sub/back"]);
        assert!(
            found
                .problems
                .iter()
                .all(|p| p.kind() == &InputErrorKind::Loop)
        );
    }

    #[test]
    fn two_links_to_one_folder_are_no_loop() {
        let folder = Folder::new();
        folder.write("real/a.csv", "x\n");
        symlink("real", folder.path().join("also")).expect("a link");
        let found = folder.discover(&[""]).expect("found");
        assert_eq!(folder.source_names(&found), ["also/a.csv"]);
        assert_eq!(found.problems, []);
    }

    #[test]
    fn a_link_to_nothing_in_a_folder_is_a_problem() {
        let folder = Folder::new();
        folder.write("a.csv", "x\n");
        symlink("nowhere", folder.path().join("b.csv")).expect("a link");
        let found = folder.discover(&[""]).expect("found");
        assert_eq!(folder.source_names(&found), ["a.csv"]);
        assert_eq!(folder.problem_names(&found), ["b.csv"]);
    }

    #[test]
    fn what_may_not_be_read_is_a_problem() {
        let folder = Folder::new();
        folder.write("a.csv", "x\n");
        let locked = folder.write("b.csv", "x\n");
        fs::set_permissions(&locked, fs::Permissions::from_mode(0o000)).expect("locked");
        if fs::read(&locked).is_ok() {
            return; // Root may read everything.
        }
        let found = folder.discover(&[""]).expect("found");
        assert_eq!(folder.source_names(&found), ["a.csv"]);
        assert_eq!(found.problems[0].kind(), &InputErrorKind::Denied);
    }

    #[test]
    fn a_pipe_is_taken_if_it_is_named_and_left_alone_in_a_folder() {
        let folder = Folder::new();
        let path = folder.path().join("pipe");
        let made = std::process::Command::new("mkfifo").arg(&path).status();
        if !made.is_ok_and(|status| status.success()) {
            return;
        }
        assert!(folder.discover(&[""]).expect("found").sources.is_empty());
        let found = folder.discover(&["pipe"]).expect("found");
        assert!(!found.sources[0].can_reopen());
        let writer = std::thread::spawn(move || fs::write(path, "a,b\n"));
        let text = super::text_of(&found.sources[0]).expect("reads");
        writer.join().expect("a thread").expect("written");
        assert_eq!(text, "a,b\n");
    }
}

#[test]
fn denied_is_said_as_such() {
    // Root may read everything, so the error is made by hand.
    let error = std::io::Error::from(std::io::ErrorKind::PermissionDenied);
    let error = crate::input::InputError::from_io("a.csv", &error);
    assert_eq!(error.kind(), &InputErrorKind::Denied);
    assert_eq!(error.to_string(), "a.csv: no permission to read it");
    assert!(error.help().is_some_and(|help| help.contains("chmod")));
}
