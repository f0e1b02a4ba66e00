#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# policy share: the sharing function as a command, without a store.
# shellcheck disable=SC2317,SC2119 # cases are called by their name
. "$ROOT/test/books.bash"

cat >drf.json <<'EOF'
{"capacity": {"cpu": 9, "memory": 18}, "weigh": "total", "strict": false, "claims": [
 {"id": "A", "step": {"cpu": 1, "memory": 4}, "max": null, "weight": 1, "guarantee": 0, "tier": 0, "credits": 0, "submitted": 0},
 {"id": "B", "step": {"cpu": 3, "memory": 1}}]}
EOF
answer='{"given": {"A": 3, "B": 2}, "order": ["A", "B", "A", "B", "A"], "scarce": ["cpu", "memory"], "shares": {"A": "12/18", "B": "6/9"}, "used": {"cpu": 9, "memory": 14}}'

answered() {
    exits 0 "$ALLOT" policy share drf.json
    is "$answer" "$(cat "$out")"
    is '' "$(cat "$err")"
    exits 0 "$ALLOT" policy share - <drf.json
    is "$answer" "$(cat "$out")"
    exits 0 "$ALLOT" policy share drf.json --json --quiet
    is "$answer" "$(cat "$out")"
}
it 'the example of the manual is answered to the byte, from a file or standard input' answered

turned() {
    jq -c '{claims: (.claims | reverse | map(to_entries | reverse | from_entries)), capacity: (.capacity | to_entries | reverse | from_entries)}' \
        drf.json >turned.json
    exits 0 "$ALLOT" policy share turned.json
    is "$answer" "$(cat "$out")"
}
it 'another order of the input gives the same bytes' turned

refused() {
    sed 's/"weight": 1,/"weight": 0,/' drf.json >bad.json
    exits 2 "$ALLOT" policy share bad.json
    is '' "$(cat "$out")"
    is 'allot: usage: bad.json: claims[0].weight: must be an integer from 1 to 1000000, is 0' "$(cat "$err")"
    exits 2 "$ALLOT" policy share - <bad.json
    is '' "$(cat "$out")"
    has "$err" 'standard input: claims[0].weight: '
    exits 2 "$ALLOT" policy share bad.json --json
    is '' "$(cat "$out")"
    is 'usage 2' "$(jq -r '.error | "\(.code) \(.status)"' "$err")"
}
it 'bad input is refused with its path, and nothing is printed' refused

absent() {
    exits 4 "$ALLOT" policy share absent.json
    is '' "$(cat "$out")"
    exits 2 "$ALLOT" policy share
    exits 2 "$ALLOT" policy share drf.json drf.json
}
it 'a missing file is not found, and one is wanted' absent

# 50,000 claims of four kinds, in a shuffled order: what is given adds up, and the bytes stay.
many() {
    jq -nc '{capacity: {gflops: 1000000000, bytes: 225000000}, claims: [range(50000) | (. * 7919 % 50000) as $n |
        {id: "r-\($n)", step: {gflops: (8100 * (1 + $n % 2)), bytes: (100 * (1 + $n % 4))}, max: (1 + $n % 5), weight: (1 + $n % 2)}]}' >many.json
    exits 0 "$ALLOT" policy share many.json
    cp "$out" first
    is 'true true 50000' "$(value '"\((.order | length) == ([.given[]] | add)) \(.used.gflops <= 1000000000) \(.shares | length)"')"
    jq -c '.claims |= sort_by(.id)' many.json >sorted.json
    exits 0 "$ALLOT" policy share sorted.json
    cmp first "$out"
}
it 'many claims are answered too' many

finish
