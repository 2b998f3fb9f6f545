//! The target language, feature by feature: a small target, a small ledger, and what must come out.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::LazyLock;

use coinfold::convert::Options;
use coinfold::input::discover;
use coinfold::ledger::Period;
use coinfold::mapping::Library;
use coinfold::output::{Settings, Weight, write_target};
use coinfold::target::{Targets, compile, read};

static LIBRARY: LazyLock<Library> = LazyLock::new(Library::built_in);
static TARGETS: LazyLock<Targets> = LazyLock::new(Targets::built_in);

/// What a target made of a ledger.
struct Made {
    /// Name → text.
    files: BTreeMap<String, String>,
    /// Weight and message of what it cannot say.
    said: Vec<(Weight, String)>,
    left_out: String,
}

impl Made {
    /// The only file, without its header.
    fn rows(&self) -> Vec<&str> {
        assert_eq!(self.files.len(), 1, "{:?}", self.files.keys());
        let text = self.files.values().next().unwrap();
        text.lines().skip(1).collect()
    }

    fn losses(&self) -> Vec<&str> {
        let losses = self
            .said
            .iter()
            .filter(|(weight, _)| *weight != Weight::Note);
        losses.map(|(_, message)| message.as_str()).collect()
    }

    fn says(&self, part: &str) -> bool {
        self.said.iter().any(|(_, message)| message.contains(part))
    }
}

const HEAD: &str =
    "target = 1\ntool = 'T'\nlayout = 'L'\nhow_to_upload = 'upload it'\nconfidence = 'high'\n";

/// Sent, received and fee side by side.
const COLUMNS: &str = "columns = [['kind', 'word'], ['out', 'sent_amount'], ['out of', 'sent_asset'], ['in', 'received_amount'], ['in of', 'received_asset'], ['fee', 'fee_amount'], ['fee of', 'fee_asset']]
adds_up = [{ amount = 'out', asset = 'out of', way = 'out' }, { amount = 'in', asset = 'in of', way = 'in' }, { amount = 'fee', asset = 'fee of', way = 'out' }]
";

const KINDS: &str = "[kinds]
trade = { both = 'swap' }
deposit = { in = 'deposit' }
withdrawal = { out = 'withdrawal' }
transfer = { in = 'deposit', out = 'withdrawal' }
fee = { out = 'fee' }
fee_rebate = { in = 'rebate' }
";

/// Writes events: `id kind leg leg …`, a leg being `[account:]amount asset[:value currency]`, a fee with `fee` before it.
fn ledger(events: &[&str]) -> String {
    let mut text = String::from(
        "event,time,kind,account,asset,amount,role,value,value_currency,order_id,trade_id,tx_hash,address,note,format,file,line\n",
    );
    for (nth, event) in events.iter().enumerate() {
        let mut parts = event.split(" | ");
        let head: Vec<&str> = parts.next().unwrap().splitn(3, ' ').collect();
        let (time, kind) = (head[0], head[1]);
        let note = head.get(2).unwrap_or(&"");
        for leg in parts {
            let (role, leg) = match leg.strip_prefix("fee ") {
                Some(rest) => ("fee", rest),
                None => ("main", leg),
            };
            let (leg, value) = leg.split_once(" @@ ").unwrap_or((leg, ""));
            let (amount, rest) = leg.split_once(' ').unwrap();
            let (asset, account) = rest.split_once(" in ").unwrap_or((rest, "Alpha"));
            let value = value.replace(' ', ",");
            let value = if value.is_empty() {
                ",".to_owned()
            } else {
                value
            };
            text.push_str(&format!(
                "e{nth},{time},{kind},{account},{asset},{amount},{role},{value},,,,,\"{}\",x,x.csv,1\n",
                note.replace('"', "\"\"")
            ));
        }
    }
    text
}

fn made_with(target: &str, events: &[&str], set: &[(&str, &str)], rename: &[(&str, &str)]) -> Made {
    let text = format!("{HEAD}{target}");
    let document = read("t.toml", &text).unwrap_or_else(|wrong| panic!("{}", wrong.message));
    let (target, wrong) = compile("t", "t.toml", &text, &document);
    let target = target.unwrap_or_else(|| panic!("{wrong:?}"));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("history.csv");
    std::fs::write(&path, ledger(events)).unwrap();
    let name = path.to_str().unwrap().to_owned();
    let discovery = discover(std::slice::from_ref(&name)).unwrap();
    let options = Options {
        named: vec![name],
        ..Options::default()
    };
    let folded = coinfold::fold(
        &discovery.sources,
        &LIBRARY,
        &options,
        Period::default(),
        &|_| (),
    )
    .unwrap();
    assert_eq!(
        folded.ledger.events.len(),
        events.len(),
        "every event is read"
    );
    let names = folded.ledger.name_texts();
    let pairs = |list: &[(&str, &str)]| {
        list.iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect()
    };
    let settings = Settings {
        options: pairs(set),
        renames: pairs(rename),
        targets: &TARGETS,
    };
    assert_eq!(settings.problem(&target), None);
    let out = folder.path().join("out");
    std::fs::create_dir(&out).unwrap();
    let written = write_target(&folded.ledger, &names, &target, &settings, Some(&out)).unwrap();
    assert!(written.unproved.is_empty(), "{:?}", written.unproved);
    let said = written
        .findings
        .iter()
        .map(|finding| (finding.weight, finding.message.clone()))
        .collect();
    let left_out = String::from_utf8(written.left_out.clone()).unwrap();
    written
        .finish(&out.join("out.csv"))
        .unwrap_or_else(|_| panic!("named"));
    let read = |path: &Path| String::from_utf8_lossy(&std::fs::read(path).unwrap()).into_owned();
    let files = std::fs::read_dir(&out).unwrap().map(|entry| {
        let path = entry.unwrap().path();
        (
            path.file_name().unwrap().to_str().unwrap().to_owned(),
            read(&path),
        )
    });
    Made {
        files: files.collect(),
        said,
        left_out,
    }
}

fn made(target: &str, events: &[&str]) -> Made {
    made_with(target, events, &[], &[])
}

/// A target of the plain columns and kinds, with more.
fn plain(more: &str) -> String {
    format!("{COLUMNS}{more}\n{KINDS}")
}

const BUY: &str = "2024-01-01T10:00:00Z trade | 2 BTC | -100 USD | fee -1 USD";

#[test]
fn an_event_is_a_row_of_what_was_sent_received_and_paid_as_fee() {
    let made = made(&plain(""), &[BUY, "2024-01-02T10:00:00Z deposit | 5 ETH"]);
    assert_eq!(
        made.rows(),
        ["swap,100,USD,2,BTC,1,USD", "deposit,,,5,ETH,,"]
    );
    assert!(made.losses().is_empty());
}

#[test]
fn legs_of_one_asset_on_one_side_are_one() {
    let made = made(
        &plain(""),
        &["2024-01-01T10:00:00Z trade | 1 BTC | 1.5 BTC | -60 USD | -40 USD"],
    );
    assert_eq!(made.rows(), ["swap,100,USD,2.5,BTC,,"]);
}

#[test]
fn a_row_for_each_leg() {
    let columns = "columns = [['way', 'direction'], ['amount', 'amount'], ['asset', 'asset'], ['fee', 'fee_amount'], ['fee of', 'fee_asset']]
adds_up = [{ amount = 'amount', asset = 'asset', way = 'in', when = { way = 'in' } }, { amount = 'amount', asset = 'asset', way = 'out', when = { way = ['out'] } }, { amount = 'fee', asset = 'fee of', way = 'out' }]
[rows]
shape = 'leg'
[kinds]
trade = ''
";
    assert_eq!(
        made(columns, &[BUY]).rows(),
        ["out,100,USD,1,USD", "in,2,BTC,,"]
    );
}

#[test]
fn a_row_of_a_coin_carries_its_price_in_money() {
    let columns = "columns = [['action', 'word'], ['coin', 'asset'], ['quantity', 'amount'], ['price', 'div(sent_amount ?? received_amount, amount, 8)'], ['money', 'sent_asset']]
adds_up = [{ amount = 'quantity', asset = 'coin', way = 'in' }, { amount = 'price', times = 'quantity', asset = 'money', way = 'out', digits = 4 }]
[rows]
shape = 'leg'
carries = \"sent_type == 'fiat'\"
[kinds]
trade = 'BUY'
";
    let made = made(columns, &["2024-01-01T10:00:00Z trade | 3 BTC | -100 USD"]);
    assert_eq!(made.rows(), ["BUY,BTC,3,33.33333333,USD"]);
    assert!(made.losses().is_empty(), "{:?}", made.said);
}

#[test]
fn several_assets_on_a_side_are_divided_and_add_up() {
    let dust = ["2024-01-01T10:00:00Z trade | 0.1 BNB | -1 A | -1 B | -1 C"];
    let made_rows = made(&plain(""), &dust);
    assert_eq!(
        made_rows.rows(),
        [
            "swap,1,A,0.03333333,BNB,,",
            "swap,1,B,0.03333334,BNB,,",
            "swap,1,C,0.03333333,BNB,,"
        ]
    );
    assert!(made_rows.says("divided evenly, for the source states no values"));
    let in_order = made(
        &format!("{COLUMNS}[rows]\nseveral = 'in_order'\n{KINDS}[otherwise]\nout = 'withdrawal'\n"),
        &dust,
    );
    assert_eq!(
        in_order.rows(),
        [
            "swap,1,A,0.1,BNB,,",
            "withdrawal,1,B,,,,",
            "withdrawal,1,C,,,,"
        ]
    );
    let refused = made(&plain("[rows]\nseveral = 'refuse'"), &dust);
    assert!(refused.rows().is_empty() && refused.left_out.contains(",BNB,"));
    let columns = "columns = [['1', 'sent_amount'], ['of 1', 'sent_asset'], ['2', 'sent_amount_2'], ['of 2', 'sent_asset_2'], ['in', 'received_amount'], ['in of', 'received_asset']]
adds_up = [{ amount = '1', asset = 'of 1', way = 'out' }, { amount = '2', asset = 'of 2', way = 'out' }, { amount = 'in', asset = 'in of', way = 'in' }]
[rows]
several = 'columns'
slots = 2
[kinds]
trade = ''
";
    assert_eq!(made(columns, &dust).rows(), ["1,A,1,B,0.1,BNB", "1,C,,,,"]);
}

#[test]
fn a_fee_stands_where_the_target_says() {
    let apart = made(&plain("[rows]\nfee = 'row'"), &[BUY]);
    assert_eq!(apart.rows(), ["swap,100,USD,2,BTC,,", "fee,1,USD,,,,"]);
    let included = format!(
        "{}[rows]\nfee = 'included'\n{KINDS}",
        COLUMNS.replace(", { amount = 'fee', asset = 'fee of', way = 'out' }", "")
    );
    let events = [
        BUY,
        "2024-01-02T10:00:00Z trade | 10 ETH | -1 BTC | fee -0.5 ETH",
        "2024-01-03T10:00:00Z trade | 10 ETH | -1 BTC | fee -2 BNB",
    ];
    let included = made(&included, &events);
    assert_eq!(
        included.rows(),
        [
            "swap,101,USD,2,BTC,1,USD",
            "swap,1,BTC,9.5,ETH,0.5,ETH",
            "swap,1,BTC,10,ETH,,",
            "fee,2,BNB,,,,"
        ]
    );
    assert!(included.losses().is_empty(), "{:?}", included.said);
    let forbidden = made(
        &plain("[rows]\nfee_when = \"sides != 'received'\""),
        &["2024-01-02T10:00:00Z deposit | 5 ETH | fee -0.1 ETH"],
    );
    assert_eq!(forbidden.rows(), ["deposit,,,5,ETH,,", "fee,0.1,ETH,,,,"]);
}

#[test]
fn a_fee_that_comes_back_is_a_row_or_a_negative_fee() {
    let event = ["2024-01-01T10:00:00Z trade | 2 BTC | -100 USD | fee 0.5 USD"];
    assert_eq!(
        made(&plain(""), &event).rows(),
        ["swap,100,USD,2,BTC,,", "rebate,,,0.5,USD,,"]
    );
    assert_eq!(
        made(&plain("[rows]\nrebate = 'column'"), &event).rows(),
        ["swap,100,USD,2,BTC,-0.5,USD"]
    );
}

#[test]
fn a_transfer_is_two_rows_or_one_with_both_accounts() {
    let event = ["2024-01-01T10:00:00Z transfer | -5 DOT in Alpha/spot | 5 DOT in Alpha/earn"];
    assert_eq!(
        made(&plain(""), &event).rows(),
        ["withdrawal,5,DOT,,,,", "deposit,,,5,DOT,,"]
    );
    let columns = "columns = [['from', 'account'], ['to', 'to_account'], ['platform', 'platform'], ['amount', 'received_amount'], ['asset', 'asset']]
adds_up = [{ amount = 'amount', asset = 'asset', way = 'in' }, { amount = 'amount', asset = 'asset', way = 'out' }]
[rows]
transfer = 'one_row'
[kinds]
transfer = ''
";
    let one = made(columns, &event);
    assert_eq!(one.rows(), ["Alpha/spot,Alpha/earn,Alpha,5,"]);
}

#[test]
fn parts_are_files_of_their_own_and_what_fits_none_is_told() {
    let parts = format!(
        "{COLUMNS}{KINDS}[[part]]\nname = 'trades'\nwhen = \"kind == 'trade'\"\n[[part]]\nname = 'rest'\nwhen = \"kind == 'deposit'\"\n[part.time]\nzone = 'UTC'\n"
    );
    let events = [
        BUY,
        "2024-01-02T10:00:00Z deposit | 5 ETH",
        "2024-01-03T10:00:00Z withdrawal | -1 ETH",
    ];
    let made = made(&parts, &events);
    let names: Vec<&String> = made.files.keys().collect();
    assert_eq!(names, ["out.rest.csv", "out.trades.csv"]);
    assert!(made.files["out.rest.csv"].ends_with("deposit,,,5,ETH,,\n"));
    assert_eq!(made.losses(), ["`withdrawal` fits no file of this target"]);
    assert!(made.left_out.contains("withdrawal"));
}

#[test]
fn files_are_split_by_account_and_by_size_and_events_stay_together() {
    let accounts = made(
        &plain("[file]\none_per = 'account'"),
        &[
            "2024-01-01T10:00:00Z deposit | 5 ETH in A/b",
            "2024-01-02T10:00:00Z deposit | 5 ETH in C d",
        ],
    );
    let names: Vec<&String> = accounts.files.keys().collect();
    assert_eq!(names, ["out.A-b.csv", "out.C-d.csv"]);
    let events = [
        BUY,
        "2024-01-02T10:00:00Z trade | 1 BTC | -50 USD | fee -1 BNB",
        "2024-01-03T10:00:00Z deposit | 5 ETH",
    ];
    let rows = made(&plain("[file]\nmax_rows = 2\n[rows]\nfee = 'row'"), &events);
    let counts: Vec<usize> = rows
        .files
        .values()
        .map(|text| text.lines().count() - 1)
        .collect();
    assert_eq!(
        rows.files.keys().collect::<Vec<_>>(),
        ["out.1.csv", "out.2.csv", "out.3.csv"]
    );
    assert_eq!(counts, [2, 2, 1]);
    let bytes = made(&plain("[file]\nmax_bytes = 90"), &events);
    assert!(bytes.files.len() > 1 && bytes.files.values().all(|text| text.len() <= 90));
}

#[test]
fn the_newest_stands_first_where_the_tool_wants_it() {
    let events = [
        "2024-01-01T10:00:00Z deposit | 1 ETH",
        "2024-01-02T10:00:00Z deposit | 2 ETH",
    ];
    let made = made(&plain("[file]\nnewest_first = true"), &events);
    assert_eq!(made.rows(), ["deposit,,,2,ETH,,", "deposit,,,1,ETH,,"]);
}

#[test]
fn words_go_by_side_by_money_and_by_several_columns() {
    let target = COLUMNS.replace("['kind', 'word']", "['kind', 'word'], ['label', 'label']")
        + "[kinds]\ntrade = [{ when = \"sent_type == 'fiat'\", both = 'Buy' }, { when = { received_type = 'fiat' }, both = 'Sale' }, { both = { word = 'Convert', label = 'coins' } }]\n[otherwise]\nin = 'In'\nout = 'Out'\n";
    let events = [
        "2024-01-01T10:00:00Z trade | 1 BTC | -50 USD",
        "2024-01-02T10:00:00Z trade | 50 EUR | -1 BTC",
        "2024-01-03T10:00:00Z trade | 10 ETH | -1 BTC",
        "2024-01-04T10:00:00Z airdrop | 3 ARB",
    ];
    let made = made(&target, &events);
    let words: Vec<String> = made
        .rows()
        .iter()
        .map(|row| row.split(',').take(2).collect::<Vec<_>>().join("/"))
        .collect();
    assert_eq!(words, ["Buy/", "Sale/", "Convert/coins", "In/"]);
    assert_eq!(
        made.losses(),
        ["there is no word for `airdrop`: it is written as “In”"]
    );
}

#[test]
fn words_that_lose_and_words_that_are_not_confirmed_are_told() {
    let target = plain("")
        + "loan = { in = { word = 'deposit', lossy = 'a deposit' } }\nmining = { in = 'mined', unconfirmed = true }\n";
    let made = made(
        &target,
        &[
            "2024-01-01T10:00:00Z loan | 5 ETH",
            "2024-01-02T10:00:00Z mining | 1 ETH",
            "2024-01-03T10:00:00Z deposit | 1 ETH",
        ],
    );
    assert_eq!(made.losses(), ["`loan` is written as “deposit”: a deposit"]);
    assert!(made.says("the word “mined” for `mining` is not confirmed by the vendor"));
}

#[test]
fn kinds_that_share_a_word_are_told_without_a_loss() {
    let made = made(
        &(plain("") + "income = { in = 'deposit' }\n"),
        &[
            "2024-01-01T10:00:00Z income | 5 ETH",
            "2024-01-03T10:00:00Z deposit | 1 ETH",
        ],
    );
    assert!(made.losses().is_empty());
    assert!(made.says("`deposit`, `income` are all written as “deposit”"));
}

#[test]
fn what_is_left_out_or_refused_is_listed_apart() {
    let target = plain("")
        + "airdrop = { leave_out = 'the tool knows none' }\nlost = { refuse = 'no such thing' }\n";
    let events = [
        "2024-01-01T10:00:00Z airdrop | 5 ETH",
        "2024-01-02T10:00:00Z lost | -1 ETH",
        "2024-01-03T10:00:00Z deposit | 1 ETH",
    ];
    let made = made(&target, &events);
    assert_eq!(made.rows(), ["deposit,,,1,ETH,,"]);
    assert_eq!(
        made.losses(),
        [
            "`lost`: no such thing",
            "`airdrop` is left out: the tool knows none"
        ]
    );
    assert_eq!(made.left_out.lines().count(), 2);
}

#[test]
fn amounts_are_rounded_half_to_even_and_the_rest_is_carried_on() {
    let target = plain("[amounts]\nmax_decimals = 2");
    let events = [
        "2024-01-01T10:00:00Z deposit | 0.125 ETH",
        "2024-01-02T10:00:00Z deposit | 0.125 ETH",
        "2024-01-03T10:00:00Z withdrawal | -0.001 ETH",
        "2024-01-04T10:00:00Z deposit | 0.001 ETH",
    ];
    let made = made(&target, &events);
    // 0.125 → 0.12, carrying 0.005; 0.13 of the next; then nothing is left to be carried but what is too small for a row.
    assert_eq!(
        made.rows(),
        ["deposit,,,0.12,ETH,,", "deposit,,,0.13,ETH,,"]
    );
    assert!(made.says("more than 2 decimals") && made.says("too small to be written"));
    assert!(
        !made.says("after the last rounding"),
        "the carries cancel: {:?}",
        made.said
    );
    let rest = made_with(
        &target,
        &["2024-01-01T10:00:00Z deposit | 0.123 ETH"],
        &[],
        &[],
    );
    assert!(rest.says("what is left after the last rounding is in no row"));
}

#[test]
fn a_decimal_comma() {
    let made = made(
        &plain("[amounts]\ndecimal_mark = ','\n[file]\ndelimiter = ';'"),
        &["2024-01-01T10:00:00Z deposit | 0.5 ETH"],
    );
    assert_eq!(made.rows(), ["deposit;;;0,5;ETH;;"]);
    assert!(made.losses().is_empty());
}

#[test]
fn times_in_two_columns_in_milliseconds_with_an_offset_or_in_a_zone() {
    let target = "columns = [{ header = 'day', cell = 'time', format = '%Y-%m-%d' }, { header = 'clock', cell = 'time', format = '%H:%M:%S' }, { header = 'ms', cell = 'time', format = 'epoch_ms' }, { header = 'offset', cell = 'time', format = '%Y-%m-%dT%H:%M:%S%:z', zone = '{zone}' }, ['in', 'received_amount'], ['of', 'received_asset']]
adds_up = [{ amount = 'in', asset = 'of', way = 'in' }]
[options]
zone = { default = 'Europe/Paris', about = 'your zone' }
[kinds]
deposit = ''
";
    let event = ["2024-07-01T22:30:05.25Z deposit | 1 ETH"];
    assert_eq!(
        made(target, &event).rows(),
        ["2024-07-01,22:30:05,1719873005250,2024-07-02T00:30:05+02:00,1,ETH"]
    );
    let set = made_with(target, &event, &[("zone", "America/New_York")], &[]);
    assert!(set.rows()[0].contains("2024-07-01T18:30:05-04:00"));
    let cut = plain("").replace(
        "['kind', 'word']",
        "{ header = 'time', cell = 'time', format = '%m/%d/%Y %H:%M' }",
    );
    let cut = made(&cut, &event);
    assert!(cut.rows()[0].starts_with("07/01/2024 22:30,"));
    assert!(cut.says("without its seconds") && cut.losses().is_empty());
}

#[test]
fn constants_templates_and_unique_ids() {
    let target = "columns = [['type', \"'CRYPTO'\"], ['id', \"event + '-' + text(row)\"], ['who', \"upper(replace(platform, ' ', '_')) + '/' + holder\"], ['in', 'received_amount'], ['of', 'received_asset'], ['out', 'sent_amount'], ['out of', 'sent_asset'], ['empty', \"''\"]]
adds_up = [{ amount = 'in', asset = 'of', way = 'in' }, { amount = 'out', asset = 'out of', way = 'out' }]
[options]
holder = { default = 'me', about = 'whose they are' }
[kinds]
transfer = ''
";
    let made = made(
        target,
        &["2024-01-01T10:00:00Z transfer | -5 DOT in My Bank/spot | 5 DOT in Earn"],
    );
    let rows = made.rows();
    assert!(rows[0].starts_with("CRYPTO,") && rows[0].contains("-1,MY_BANK/me,"));
    assert!(rows[1].contains("-2,EARN/me,") && rows[1].ends_with(','));
}

#[test]
fn codes_are_renamed_and_clashes_are_refused() {
    let target = plain(
        "[assets]\nrename = { LUNC = 'LUNA2' }\nreads_as = { LUNA = 'another coin' }\npattern = '^[A-Z0-9]+$'",
    );
    let events = [
        "2024-01-01T10:00:00Z deposit | 1 LUNC",
        "2024-01-02T10:00:00Z deposit | 1 LUNA",
        "2024-01-03T10:00:00Z deposit | 1 st.ETH",
    ];
    let renamed = made(&target, &events);
    assert_eq!(renamed.rows()[0], "deposit,,,1,LUNA2,,");
    assert!(renamed.says("LUNC is written as LUNA2"));
    assert_eq!(
        renamed.losses(),
        [
            "st.ETH is no code that the tool can read",
            "the tool takes LUNA for another coin"
        ]
    );
    let clash = made_with(&target, &events[..2], &[], &[("LUNA", "LUNA2")]);
    assert_eq!(clash.rows(), ["deposit,,,1,LUNA2,,"]);
    assert!(clash.losses()[0].contains("would both be written as LUNA2"));
    assert!(clash.left_out.contains(",LUNA,"));
}

#[test]
fn stated_values_go_to_their_columns_and_those_that_must_be_there_are_asked_for() {
    let target = COLUMNS.replace(
        "['kind', 'word']",
        "['kind', 'word'], ['worth in {currency}', 'if value_currency == currency then value']",
    ) + "[options]\ncurrency = { default = 'EUR', about = 'your currency' }\n[[check]]\nwhen = \"kind == 'income'\"\nfilled = ['worth in {currency}']\nbecause = 'a price is needed'\n[kinds]\nincome = { in = 'income' }\n";
    let events = [
        "2024-01-01T10:00:00Z income | 1 ETH @@ 2000 EUR",
        "2024-01-02T10:00:00Z income | 1 ETH",
    ];
    let made = made(&target, &events);
    assert!(made.files["out.csv"].starts_with("kind,worth in EUR,out,"));
    assert_eq!(made.rows(), ["income,2000,,,1,ETH,,"]);
    assert_eq!(made.losses(), ["`income`: a price is needed"]);
}

#[test]
fn cells_that_must_be_blank_are_checked() {
    let target = plain("[[check]]\nwhen = \"word == 'withdrawal'\"\nblank = ['fee']");
    let made = made(
        &target,
        &["2024-01-01T10:00:00Z withdrawal | -1 ETH | fee -0.1 ETH"],
    );
    assert!(made.rows().is_empty());
    assert_eq!(made.losses(), ["`withdrawal`: fee must be blank"]);
}

#[test]
fn header_quotes_marks_lines_and_encodings_are_exact() {
    let file = "[file]\nbefore = ['#TEMPLATE']\nquote = 'always'\nline_end = 'crlf'\nencoding = 'utf-8-bom'\n";
    let exact = made(&plain(file), &["2024-01-01T10:00:00Z deposit | 1 ETH"]);
    assert_eq!(
        exact.files["out.csv"],
        "\u{feff}#TEMPLATE\r\n\"kind\",\"out\",\"out of\",\"in\",\"in of\",\"fee\",\"fee of\"\r\n\"deposit\",\"\",\"\",\"1\",\"ETH\",\"\",\"\"\r\n"
    );
    let none = made(
        &plain("[file]\nheader = false"),
        &["2024-01-01T10:00:00Z deposit | 1 ETH"],
    );
    assert_eq!(none.files["out.csv"], "deposit,,,1,ETH,,\n");
    let western =
        plain("[file]\nencoding = 'windows-1252'").replace("['kind', 'word']", "['reçu', 'note']");
    let western = made(&western, &["2024-01-01T10:00:00Z deposit 雪 | 1 ETH"]);
    assert!(western.says("letters that the file's encoding does not have"));
    assert!(
        western.files["out.csv"].contains("re\u{fffd}u"),
        "one byte for ç"
    );
}

#[test]
fn json_has_the_rows_in_a_list_beside_constants() {
    let target = "columns = [{ header = 'quantity', cell = 'received_amount', number = true }, ['symbol', 'received_asset'], ['comment', 'note']]
adds_up = [{ amount = 'quantity', asset = 'symbol', way = 'in' }]
[file]
format = 'json'
list = 'activities'
around = { meta = { version = 'v1' } }
[kinds]
deposit = ''
";
    let made = made(
        target,
        &[
            "2024-01-01T10:00:00Z deposit | 0.000000000000000001 ETH",
            "2024-01-02T10:00:00Z deposit say \"x\" | 2 ETH",
        ],
    );
    let text = &made.files["out.csv"];
    assert!(
        text.contains("\"quantity\": 0.000000000000000001,"),
        "{text}"
    );
    let value: serde_json::Value = serde_json::from_str(text).unwrap();
    assert_eq!(value["meta"]["version"], "v1");
    assert_eq!(value["activities"][1]["comment"], "say \"x\"");
    assert!(value["activities"][0].get("comment").is_none());
}

#[test]
fn formulas_are_neutralised_where_the_file_is_for_a_spreadsheet() {
    let target =
        plain("[file]\nspreadsheet = true").replace("['kind', 'word']", "['note', 'note']");
    let event = ["2024-01-01T10:00:00Z deposit =1+1 | 1 ETH"];
    let marked = made(&target, &event);
    assert_eq!(marked.rows(), ["'=1+1,,,1,ETH,,"]);
    assert!(marked.says("would run as a formula") && marked.losses().is_empty());
    let exact = made(&target.replace("spreadsheet = true", ""), &event);
    assert_eq!(exact.rows(), ["=1+1,,,1,ETH,,"]);
}

#[test]
fn equal_rows_are_told_where_the_tool_takes_them_for_one() {
    let events = [
        "2024-01-01T10:00:00Z deposit | 1 ETH",
        "2024-01-01T10:00:00Z deposit | 1 ETH",
    ];
    let kept = made(&plain(""), &events);
    assert_eq!(kept.rows().len(), 2);
    assert!(kept.losses().is_empty());
    let told = made(&plain("[rows]\nalike = ['kind', 'in', 'in of']"), &events);
    assert_eq!(told.rows().len(), 2);
    assert_eq!(
        told.losses(),
        ["equal rows are taken for one: the tool will count only the first"]
    );
}

#[test]
fn a_target_that_does_not_say_an_amount_is_caught() {
    let forgotten = COLUMNS.replace("['fee', 'fee_amount']", "['fee', \"''\"]") + KINDS;
    let made_without_fee = made(&forgotten, &[BUY]);
    assert_eq!(
        made_without_fee.losses(),
        ["`trade`: the layout cannot say these amounts exactly"]
    );
    let swapped = COLUMNS.replace("way = 'in'", "way = 'out'") + KINDS;
    assert_eq!(
        made(&swapped, &["2024-01-02T10:00:00Z deposit | 5 ETH"])
            .losses()
            .len(),
        1
    );
}

#[test]
fn an_event_that_moves_nothing_has_no_row() {
    let made = made(
        &plain(""),
        &[
            "2024-01-02T10:00:00Z deposit | 0 ETH",
            "2024-01-03T10:00:00Z deposit | 1 ETH",
        ],
    );
    assert_eq!(made.rows().len(), 1);
    assert!(made.says("moves nothing") && made.losses().is_empty());
}

/// What is wrong with a target, with its place.
fn wrong(target: &str) -> String {
    let text = format!("{HEAD}{target}");
    let found = match read("t.toml", &text) {
        Err(one) => vec![one],
        Ok(document) => {
            let (target, found) = compile("t", "t.toml", &text, &document);
            assert!(target.is_none(), "it compiles");
            found
        }
    };
    let lines = found.iter().map(|one| {
        let (line, column) = one.line_and_column(&text).unwrap_or((0, 0));
        let help = one
            .help
            .as_deref()
            .map_or(String::new(), |help| format!(" ({help})"));
        format!("{line}:{column}: {}{help}", one.message)
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn what_is_wrong_with_a_target_is_told_with_its_place() {
    let column = |cell: &str| {
        format!(
            "columns = [['x', \"{cell}\"]]\nadds_up = [{{ amount = 'x', asset = 'x', way = 'in' }}]\n"
        )
    };
    assert!(
        wrong(&column("sent_amonut")).starts_with("6:19: "),
        "{}",
        wrong(&column("sent_amonut"))
    );
    assert!(wrong(&column("time")).contains("nothing says how this time is written"));
    assert!(wrong(&(column("word") + "[kinds]\ntraed = ''\n")).contains("did you mean `trade`?"));
    assert!(
        wrong(&(column("word") + "[rows]\nfree = 'row'\n")).contains("there is no key `free` here")
    );
    assert!(
        wrong(&(column("time") + "[time]\nformat = '%Y-%m-%d'\nzone = 'Mars/Base'\n"))
            .contains("`Mars/Base` is no zone")
    );
    assert!(wrong("columns = [['x', 'word']]\n").contains("`adds_up` is missing"));
    assert!(
        wrong(&column("word").replace("amount = 'x'", "amount = 'y'"))
            .contains("no column has the header `y`")
    );
    assert!(
        wrong(&(column("word") + "[kinds]\ntrade = { note = 'x' }\n"))
            .contains("`note` is a field of every row")
    );
}
