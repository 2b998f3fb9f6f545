#!/usr/bin/env python3
"""What Polars is given to do: the smaller job.

    polars_job.py PATTERN OUTPUT str|typednorm

One row for each event, in the order of time, by an expression that was written for this one export. Nothing is summed, proved,
grouped, recognised or given an id. The streaming engine is its fastest and leanest.

    str        amounts and times pass through as text, and nothing is checked: its best
    typednorm  they are read as decimals of 38 digits and times of milliseconds, and written without padding zeros
"""
import sys

import polars as pl

pattern, output, variant = sys.argv[1:]
typed = {"str": False, "typednorm": True}[variant]
category, operation = pl.col("Category"), pl.col("Operation")


def asset(side):
    return pl.col(f"{side}_Asset")


def number(column):
    if not typed:
        return pl.col(column)
    return pl.when(pl.col(column) != "").then(pl.col(column)).cast(pl.Decimal(38, 18))


def amount(side):
    return number(f"Realized_Amount_For_{side}_Asset")


def worth(side):
    return number(f"Realized_Amount_For_{side}_Asset_In_USD_Value")


def written(amount):
    return amount.cast(pl.String).str.strip_chars_end("0").str.strip_chars_end(".") if typed else amount


bought = (category == "Spot Trading") & (operation == "Buy")
traded = category.is_in(["Spot Trading", "Quick Buy", "Quick Sell"])
withdrawn = category == "Withdrawal"
given = category == "Distribution"
taken_back = given & pl.col("Realized_Amount_For_Primary_Asset").str.starts_with("-")
came_in = (category == "Deposit") | (given & ~taken_back)
without_sign = amount("Primary").abs() if typed else amount("Primary").str.strip_prefix("-")

time = pl.col("Time").str.to_datetime("%Y-%m-%d %H:%M:%S%.3f", time_unit="ms") if typed else pl.col("Time")
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
    .when(taken_back).then(without_sign)
)
sent_asset = pl.when(bought).then(asset("Quote")).when(traded).then(asset("Base")).when(withdrawn | taken_back).then(asset("Primary"))
received_amount = pl.when(bought).then(amount("Base")).when(traded).then(amount("Quote")).when(came_in).then(amount("Primary"))
received_asset = pl.when(bought).then(asset("Base")).when(traded).then(asset("Quote")).when(came_in).then(asset("Primary"))

(
    pl.scan_csv(pattern, infer_schema=False)
    .select(
        time.alias("time"),
        kind.alias("kind"),
        pl.lit("Binance.US").alias("account"),
        written(sent_amount).alias("sent_amount"),
        sent_asset.alias("sent_asset"),
        written(received_amount).alias("received_amount"),
        received_asset.alias("received_asset"),
        written(amount("Fee")).alias("fee_amount"),
        asset("Fee").alias("fee_asset"),
        written(pl.when(asset("Primary") == "").then(worth("Quote")).otherwise(worth("Primary"))).alias("value"),
        pl.col("Order_Id").alias("order_id"),
        pl.col("Transaction_Id").alias("trade_id"),
    )
    .sort("time")
    .sink_csv(output, datetime_format="%Y-%m-%d %H:%M:%S%.3f")
)
