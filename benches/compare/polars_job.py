#!/usr/bin/env python3
"""What Polars is given to do: the smaller job, at its best.

    polars_job.py PATTERN OUTPUT

One row for each event, in the order of time, by an expression that was written for this one export. Amounts and times pass
through as text: nothing is checked, summed, proved, grouped, recognised or given an id. The streaming engine is its
fastest and leanest.
"""
import sys

import polars as pl

pattern, output = sys.argv[1:]
category, operation = pl.col("Category"), pl.col("Operation")


def asset(side):
    return pl.col(f"{side}_Asset")


def amount(side):
    return pl.col(f"Realized_Amount_For_{side}_Asset")


def worth(side):
    return pl.col(f"Realized_Amount_For_{side}_Asset_In_USD_Value")


bought = (category == "Spot Trading") & (operation == "Buy")
traded = category.is_in(["Spot Trading", "Quick Buy", "Quick Sell"])
withdrawn = category == "Withdrawal"
given = category == "Distribution"
taken_back = given & amount("Primary").str.starts_with("-")
came_in = (category == "Deposit") | (given & ~taken_back)

kind = (
    pl.when(traded).then(pl.lit("trade"))
    .when(category == "Deposit").then(pl.lit("deposit"))
    .when(withdrawn).then(pl.lit("withdrawal"))
    .when(taken_back).then(pl.lit("fee"))
    .when(operation == "Staking Rewards").then(pl.lit("staking_reward"))
    .when(operation == "Referral Commission").then(pl.lit("referral_bonus"))
    .otherwise(pl.lit("airdrop"))
)
sent_amount = (
    pl.when(bought).then(amount("Quote")).when(traded).then(amount("Base")).when(withdrawn).then(amount("Primary"))
    .when(taken_back).then(amount("Primary").str.strip_prefix("-"))
)
sent_asset = pl.when(bought).then(asset("Quote")).when(traded).then(asset("Base")).when(withdrawn | taken_back).then(asset("Primary"))
received_amount = pl.when(bought).then(amount("Base")).when(traded).then(amount("Quote")).when(came_in).then(amount("Primary"))
received_asset = pl.when(bought).then(asset("Base")).when(traded).then(asset("Quote")).when(came_in).then(asset("Primary"))

(
    pl.scan_csv(pattern, infer_schema=False)
    .select(
        pl.col("Time").alias("time"),
        kind.alias("kind"),
        pl.lit("Binance.US").alias("account"),
        sent_amount.alias("sent_amount"),
        sent_asset.alias("sent_asset"),
        received_amount.alias("received_amount"),
        received_asset.alias("received_asset"),
        amount("Fee").alias("fee_amount"),
        asset("Fee").alias("fee_asset"),
        pl.when(asset("Primary") == "").then(worth("Quote")).otherwise(worth("Primary")).alias("value"),
        pl.col("Order_Id").alias("order_id"),
        pl.col("Transaction_Id").alias("trade_id"),
    )
    .sort("time")
    .sink_csv(output)
)
