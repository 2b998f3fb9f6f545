use super::*;
use crate::model::{Role, Time};
use proptest::prelude::*;

fn head(time_ns: i64) -> EventHead {
    EventHead {
        time: Time::new(time_ns, 0),
        kind: Kind::Trade,
        rule: 3,
        hash: 1 << 90,
        group: 0,
        nth: 0,
        line: 7,
    }
}

pub(super) fn put(batch: &mut Batch, legs: &[Leg], note: &[u8]) -> u32 {
    let at = batch.begin_event();
    for leg in legs {
        batch.add_leg(&NewLeg {
            account: leg.account,
            asset: leg.asset,
            amount: leg.amount.into(),
            role: leg.role,
            value: leg.value.map(|(value, currency)| (value.into(), currency)),
        });
    }
    let group = if note.len().is_multiple_of(2) {
        0
    } else {
        u128::MAX
    };
    let head = EventHead { group, ..head(5) };
    batch.begin_texts();
    for (nth, text) in [b"a", &b""[..], b"", b"", note].into_iter().enumerate() {
        batch.add_text(nth, text);
    }
    batch.end_event(at, &head);
    at
}

proptest! {
    #[test]
    fn an_event_is_read_back_as_it_was_written(
        parts in proptest::collection::vec((any::<i128>(), 0u32..=38, prop_oneof![0u32..600, any::<u32>()], any::<bool>(), any::<bool>()), 0..5),
        note in proptest::collection::vec(any::<u8>(), 0..300),
    ) {
        let legs: Vec<Leg> = parts.iter().filter_map(|(mantissa, scale, name, fee, valued)| {
            let amount = Amount::from_parts(*mantissa, *scale).filter(|amount| !amount.is_zero())?;
            let role = if *fee { Role::Fee } else { Role::Main };
            let value = valued.then_some((amount.abs(), NameId(name / 3)));
            Some(Leg { account: NameId(name / 2), asset: NameId(*name), amount, role, value })
        }).collect();
        let mut batch = Batch::default();
        let first = put(&mut batch, &legs, &note);
        batch.end_row();
        let second = put(&mut batch, &legs, &note);
        batch.end_row();
        prop_assert_eq!(events(&batch.arena()).map(|(at, _)| at).collect::<Vec<_>>(), [first, second]);
        let arena = batch.arena();
        let event = Event::at(&arena, second).unwrap();
        let read: Vec<Leg> = event.legs().map(|leg| leg.read()).collect();
        prop_assert_eq!(&read, &legs);
        prop_assert_eq!(event.texts()[4], &note[..]);
        prop_assert_eq!(event.texts()[0], b"a");
        prop_assert_eq!(event.hash(), 1 << 90);
        prop_assert_eq!(event.group(), (note.len() % 2 > 0).then_some(u128::MAX));
        prop_assert_eq!((event.time(), event.kind(), event.rule(), event.line()), (Time::new(5, 0), Kind::Trade, 3, 7));
        batch.drop_events_from(second);
        prop_assert_eq!(events(&batch.arena()).count(), 1);
        prop_assert_eq!(batch.keys.len(), 1);
    }
}

#[test]
fn of_several_legs_those_of_zero_are_left_out() {
    let leg = |amount: i64| Leg {
        account: NameId(0),
        asset: NameId(1),
        amount: Amount::from(amount),
        role: Role::Main,
        value: None,
    };
    for (amounts, kept) in [
        (vec![0], vec![0]),
        (vec![0, 0], vec![0]),
        (vec![0, 3, 0], vec![3]),
        (vec![-2, 0, 3], vec![-2, 3]),
    ] {
        let mut batch = Batch::default();
        let legs: Vec<Leg> = amounts.iter().map(|amount| leg(*amount)).collect();
        let at = put(&mut batch, &legs, b"");
        let arena = batch.arena();
        let event = Event::at(&arena, at).unwrap();
        let read: Vec<Amount> = event.legs().map(|leg| leg.read().amount).collect();
        let kept: Vec<Amount> = kept.into_iter().map(Amount::from).collect();
        assert_eq!(read, kept, "{amounts:?}");
    }
}

#[test]
fn rows_come_in_their_order_whatever_became_of_them() {
    let mut batch = Batch::default();
    let leg = Leg {
        account: NameId(0),
        asset: NameId(1),
        amount: Amount::from(1),
        role: Role::Main,
        value: None,
    };
    batch.end_other_row(0, Outcome::Skipped(SkipReason::BlankRow));
    put(&mut batch, &[leg], b"");
    let second = put(&mut batch, &[leg], b"");
    batch.end_row();
    batch.end_other_row(9, Outcome::Rejected(0));
    put(&mut batch, &[leg], b"");
    batch.end_row();
    let rows: Vec<(u32, bool)> = batch
        .rows(&batch.arena())
        .map(|row| (row.row, matches!(row.outcome, Outcome::Events { .. })))
        .collect();
    assert_eq!(rows, [(0, false), (1, true), (2, false), (3, true)]);
    assert!(second > 0);
}
