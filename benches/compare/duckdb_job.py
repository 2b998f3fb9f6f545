#!/usr/bin/env python3
"""What DuckDB is given to do: the smaller job.

    duckdb_job.py PATTERN OUTPUT str|typednorm [THREADS]

One row for each event, in the order of time, by a statement that was written for this one export. Nothing is summed, proved,
grouped, recognised or given an id.

    str        amounts and times pass through as text, and nothing is checked: its best
    typednorm  they are read as decimals of 38 digits and times, and written without padding zeros: nearest to what we do
"""
import sys

import duckdb

pattern, output, variant = sys.argv[1:4]
threads = int(sys.argv[4]) if len(sys.argv) > 4 else 2
typed = {"str": False, "typednorm": True}[variant]

SIDES = ("Primary", "Base", "Quote", "Fee")
COLUMNS = ["User_Id", "Time", "Category", "Operation", "Order_Id", "Transaction_Id"]
for side in SIDES:
    name = f"Realized_Amount_For_{side}_Asset"
    COLUMNS += [f"{side}_Asset", name, f"{name}_In_USD_Value"]
COLUMNS += ["Payment_Method", "Withdrawal_Method", "Additional_Note"]


def number(column):
    return f"CAST({column} AS DECIMAL(38,18))" if typed else column


def written(column):
    return f"rtrim(rtrim(CAST({column} AS VARCHAR), '0'), '.') AS {column}" if typed else column


primary, base, quote, fee = (number(f"Realized_Amount_For_{side}_Asset") for side in SIDES)
primary_worth, quote_worth = (number(f"Realized_Amount_For_{side}_Asset_In_USD_Value") for side in ("Primary", "Quote"))
negative = f"{primary} < 0" if typed else f"starts_with({primary}, '-')"
without_sign = f"abs({primary})" if typed else f"ltrim({primary}, '-')"
time = "CAST(Time AS TIMESTAMP)" if typed else "Time"
bought = "Category = 'Spot Trading' AND Operation = 'Buy'"
traded = "Category IN ('Spot Trading', 'Quick Buy', 'Quick Sell')"
taken_back = f"Category = 'Distribution' AND {negative}"
came_in = f"Category = 'Deposit' OR (Category = 'Distribution' AND NOT {negative})"
columns = ", ".join(f"'{column}': 'VARCHAR'" for column in COLUMNS)
mapped = f"""
    SELECT {time} AS time,
        CASE WHEN {traded} THEN 'trade'
            WHEN Category = 'Deposit' THEN 'deposit'
            WHEN Category = 'Withdrawal' THEN 'withdrawal'
            WHEN {taken_back} THEN 'fee'
            WHEN Operation = 'Staking Rewards' THEN 'staking_reward'
            WHEN Operation = 'Referral Commission' THEN 'referral_bonus'
            WHEN Category = 'Distribution' THEN 'airdrop'
            ELSE error('category ' || Category) END AS kind,
        'Binance.US' AS account,
        CASE WHEN {bought} THEN {quote} WHEN {traded} THEN {base} WHEN Category = 'Withdrawal' THEN {primary}
            WHEN {taken_back} THEN {without_sign} END AS sent_amount,
        CASE WHEN {bought} THEN Quote_Asset WHEN {traded} THEN Base_Asset
            WHEN Category = 'Withdrawal' OR ({taken_back}) THEN Primary_Asset END AS sent_asset,
        CASE WHEN {bought} THEN {base} WHEN {traded} THEN {quote} WHEN {came_in} THEN {primary} END AS received_amount,
        CASE WHEN {bought} THEN Base_Asset WHEN {traded} THEN Quote_Asset WHEN {came_in} THEN Primary_Asset END AS received_asset,
        {fee} AS fee_amount, Fee_Asset AS fee_asset,
        CASE WHEN Primary_Asset IS NULL THEN {quote_worth} ELSE {primary_worth} END AS value,
        Order_Id AS order_id, Transaction_Id AS trade_id
    FROM read_csv('{pattern}', header = true, columns = {{{columns}}}, delim = ',', quote = '"', escape = '"',
        auto_detect = false, nullstr = '')
    ORDER BY time"""
time_text = "strftime(time, '%Y-%m-%d %H:%M:%S.%g') AS time" if typed else "time"
amounts = {name: written(name) for name in ("sent_amount", "received_amount", "fee_amount", "value")}
statement = f"""
    SELECT {time_text}, kind, account, {amounts["sent_amount"]}, sent_asset, {amounts["received_amount"]}, received_asset,
        {amounts["fee_amount"]}, fee_asset, {amounts["value"]}, order_id, trade_id
    FROM ({mapped})"""

connection = duckdb.connect()
connection.execute(f"SET threads = {threads}")
connection.execute("SET enable_progress_bar = false")
connection.execute(f"COPY ({statement}) TO '{output}' (FORMAT csv, HEADER)")
