//! What an event is, what a leg is to it, and what became of a row: three closed lists.

use std::fmt;

macro_rules! words {
    ($(#[$meta:meta])* $name:ident { $($(#[$variant_meta:meta])* $variant:ident = $word:literal,)* }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum $name { $($(#[$variant_meta])* $variant,)* }

        impl $name {
            /// All of them, in the order in which they are documented.
            pub const ALL: &'static [$name] = &[$($name::$variant,)*];

            /// The word that stands in files.
            pub const fn word(self) -> &'static str {
                match self { $($name::$variant => $word,)* }
            }

            /// The one that the word names, if it is one of the list.
            pub fn from_word(word: &str) -> Option<$name> {
                match word { $($word => Some($name::$variant),)* _ => None }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.word())
            }
        }
    };
}

words! {
    /// What happened. The list is closed: a source's own word is mapped to one of these, or to `unclassified`.
    Kind {
        Trade = "trade",
        Deposit = "deposit",
        Withdrawal = "withdrawal",
        /// Between the person's own sub-accounts; nets to zero where both sides are known.
        Transfer = "transfer",
        StakingReward = "staking_reward",
        Interest = "interest",
        Mining = "mining",
        Airdrop = "airdrop",
        Fork = "fork",
        ReferralBonus = "referral_bonus",
        Cashback = "cashback",
        Income = "income",
        GiftReceived = "gift_received",
        GiftSent = "gift_sent",
        /// Spent on goods or services.
        Payment = "payment",
        Fee = "fee",
        FeeRebate = "fee_rebate",
        Loan = "loan",
        LoanRepayment = "loan_repayment",
        Liquidation = "liquidation",
        /// Result of margin or futures trading, signed.
        RealizedPnl = "realized_pnl",
        /// Periodic payment of perpetual futures, signed.
        Funding = "funding",
        Lost = "lost",
        Stolen = "stolen",
        Burn = "burn",
        Adjustment = "adjustment",
        /// The amounts are right, the meaning is not known yet.
        Unclassified = "unclassified",
    }
}

words! {
    /// What a leg is to its event.
    Role {
        Main = "main",
        Fee = "fee",
    }
}

words! {
    /// What became of a row. Every data row of every input ends in exactly one of these.
    Fate {
        /// It is in the ledger.
        Used = "used",
        /// A rule of the mapping leaves it out and says why.
        Skipped = "skipped",
        /// Another file reports the same occurrence of the same row.
        Duplicate = "duplicate",
        /// It could not be understood; nothing of it is in the ledger.
        Rejected = "rejected",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_read_back_from_its_word() {
        for kind in Kind::ALL {
            assert_eq!(Kind::from_word(kind.word()), Some(*kind));
        }
        assert_eq!(Kind::from_word("Trade"), None);
        assert_eq!(Kind::ALL.len(), 27);
    }
}
