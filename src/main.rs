fn main() -> std::process::ExitCode {
    coinfold::cli::run()
}
