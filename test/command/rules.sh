#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Rules of a policy as a tenant meets them: budgets over a period, approvals by role, ceilings on units.
# shellcheck disable=SC2317,SC2119 # cases are called by their name
. "$ROOT/test/books.bash"

new_store 2>/dev/null
policy_text | sed 's/version 1/version 2/; s/^C1 .*/C1 ceiling per tenant compute 125 TF storage 50 TB units t4 3;/' >rules.policy
cat >>rules.policy <<'END'
A1 approve by committee "more than four cards" ko "네 장을 넘습니다" when request.flavor = v100 and request.units > 4;
G1 budget compute 60000 TF-hours each quarter;
END
allot policy load rules.policy >/dev/null 2>&1
for i in 1 2 3; do add_tenant "t$i" "$i"; done
submit() { allot request submit "$@"; }

approval() {
    exits 8 submit --tenant t2 --flavor v100 --units 5 --until 2026-03-12
    has "$out" 'committee must approve this: more than four cards (A1, rules.policy:18)'
    exits 0 env SUDO_USER=kim "$ALLOT" --store "$STORE" --now "$NOW" request approve r-1 --json
    is granted "$(value .state)"
    is 'A1 E9' "$(value '[.decision.reasons[] | select(.code == "PASSED") | .rule] | sort | join(" ")')"
}
it 'an approval is asked of its role, and answers the rule' approval

units() {
    exits 3 submit --tenant t3 --flavor t4 --units 4
    has "$err" 't3 may hold 3 units of t4, holds 0; t3 asked for 4 (C1, rules.policy:15)'
    has "$err" 'ask for 3 now'
    exits 0 submit --tenant t3 --flavor t4 --units 2
    exits 3 submit --tenant t3 --flavor t4 --units 2
    has "$err" 'holds 2; t3 asked for 2'
    is '2 3' "$(sqlite3 -separator " " "$STORE" "SELECT held, most FROM holding WHERE item = 'unit/t4' AND scope = 'tenant' AND held > 0")"
}
it 'a ceiling on units of a flavor counts what is held' units

# To the end of March in Korea there are 711 hours.
budget() {
    exits 3 submit --tenant t1 --flavor v100 --units 6
    has "$err" 't1 may have 60000 TF-hours in a quarter, and 0 TF-hours is granted; 93.6 TF until 2026-03-31 adds 66549.6 TF-hours (G1, rules.policy:19)'
    exits 0 submit --tenant t1 --flavor v100 --units 4
    exits 3 submit --tenant t1 --flavor v100 --units 2
    has "$err" '44366.4 TF-hours is granted'
    has "$err" 'ask for 15.6 TF (v100 x 1), or for 20 days or less; the next quarter begins on 2026-04-01'
    exits 0 submit --tenant t1 --flavor v100 --units 1
    at 2026-03-31T15:00:00Z
    exits 3 submit --tenant t1 --flavor v100 --units 1 --until 2026-04-02
    has "$err" '113022 TF-hours is granted' # 78 TF for 1,449 hours: the grants go on to the end of May
    has "$err" 'the next quarter begins on 2026-07-01'
}
it 'a budget counts what is granted in the quarter, also by leases that began before it' budget

finish
