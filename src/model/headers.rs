//! The first lines of the files that this program writes: by them it knows its own output again.

/// The ledger as CSV.
pub const LEDGER: &str = "event,time,kind,account,asset,amount,role,value,value_currency,order_id,trade_id,tx_hash,address,note,format,file,line\n";
/// One row for each event.
pub const TRANSACTIONS: &str = "time,kind,account,sent_amount,sent_asset,received_amount,received_asset,fee_amount,fee_asset,value,value_currency,ids,note,event\n";
/// The fates of the rows.
pub const ROWS: &str = "file,line,fate,event,reason\n";
/// How each line of the ledger as JSON Lines begins.
pub const JSON_LINES: &str = "{\"event\":\"";
/// A list of fates beside a sample.
const SAMPLE_ROWS: &str = "line,fate,reason";
/// As much of the ledger's header as tells it from all else; an older one may have had fewer columns.
const LEDGER_START: &str = "event,time,kind,account,asset,amount,role,";

/// The sheets of a workbook that no other layout has: files, and balances.
const WORKBOOK_SHEETS: [&str; 2] = [
    "file,format,account,encoding,rows_read,",
    "account,asset,balance\n",
];

/// Whether a text is a ledger as CSV: it can be read again where a person names it.
pub fn is_ledger(text: &[u8]) -> bool {
    text.starts_with(LEDGER_START.as_bytes())
}

/// Whether a text is a ledger or a list of fates that this program wrote. Transactions are another matter: they are
/// meant to be read back.
pub fn is_own(text: &[u8]) -> bool {
    [LEDGER_START, "file,line,fate,", SAMPLE_ROWS, JSON_LINES]
        .iter()
        .chain(&WORKBOOK_SHEETS)
        .any(|start| text.starts_with(start.as_bytes()))
}
