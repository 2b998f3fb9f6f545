//! What the expressions of a target may ask of a row.

use crate::mapping::CellType;

/// How many legs a side can have in one row, where a target has numbered columns.
pub const SLOTS: usize = 5;

macro_rules! fields {
    ($($variant:ident $name:literal $kind:ident,)*) => {
        /// A field of a row, by its number.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u8)]
        pub enum Field { $($variant,)* }

        impl Field {
            /// Names and types, in the order of their numbers.
            pub const ALL: &'static [(Field, &'static str, CellType)] = &[$((Field::$variant, $name, CellType::$kind),)*];
        }
    };
}

fields! {
    Time "time" Time,
    Kind "kind" Text,
    Event "event" Text,
    OrderId "order_id" Text,
    TradeId "trade_id" Text,
    TxHash "tx_hash" Text,
    Address "address" Text,
    Note "note" Text,
    Ids "ids" Text,
    Format "format" Text,
    File "file" Text,
    Line "line" Amount,
    Row "row" Amount,
    Rows "rows" Amount,
    Account "account" Text,
    ToAccount "to_account" Text,
    Platform "platform" Text,
    Sides "sides" Text,
    EventSides "event_sides" Text,
    Direction "direction" Text,
    Amount "amount" Amount,
    Asset "asset" Asset,
    AssetType "asset_type" Text,
    SentAmount "sent_amount" Amount,
    SentAsset "sent_asset" Asset,
    SentType "sent_type" Text,
    SentValue "sent_value" Amount,
    SentValueCurrency "sent_value_currency" Asset,
    ReceivedAmount "received_amount" Amount,
    ReceivedAsset "received_asset" Asset,
    ReceivedType "received_type" Text,
    ReceivedValue "received_value" Amount,
    ReceivedValueCurrency "received_value_currency" Asset,
    FeeAmount "fee_amount" Amount,
    FeeAsset "fee_asset" Asset,
    FeeType "fee_type" Text,
    FeeValue "fee_value" Amount,
    FeeValueCurrency "fee_value_currency" Asset,
    Value "value" Amount,
    ValueCurrency "value_currency" Asset,
}

/// What stands for one leg in numbered columns, from the second leg on.
const SLOT_FIELDS: [(&str, CellType); 4] = [
    ("amount", CellType::Amount),
    ("asset", CellType::Asset),
    ("value", CellType::Amount),
    ("value_currency", CellType::Asset),
];

/// Number of the first field of a numbered leg: `slot` is 2, 3, …
pub fn slot_field(sent: bool, slot: usize) -> usize {
    let side = if sent { 0 } else { SLOTS - 1 };
    Field::ALL.len() + (side + slot - 2) * SLOT_FIELDS.len()
}

/// All of them: name and type, in the order of their numbers.
pub fn names() -> Vec<(String, CellType)> {
    let mut names: Vec<(String, CellType)> = Field::ALL
        .iter()
        .map(|(_, name, kind)| ((*name).to_owned(), *kind))
        .collect();
    for side in ["sent", "received"] {
        for slot in 2..=SLOTS {
            names.extend(
                SLOT_FIELDS
                    .iter()
                    .map(|(field, kind)| (format!("{side}_{field}_{slot}"), *kind)),
            );
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_numbered_leg_has_the_field_that_its_name_says() {
        let names = names();
        assert_eq!(names.len(), slot_field(false, SLOTS) + SLOT_FIELDS.len());
        assert_eq!(names[slot_field(true, 2)].0, "sent_amount_2");
        assert_eq!(
            names[slot_field(false, SLOTS)].0,
            format!("received_amount_{SLOTS}")
        );
        for (nth, (field, name, _)) in Field::ALL.iter().enumerate() {
            assert_eq!((*field as usize, names[nth].0.as_str()), (nth, *name));
        }
    }
}
