#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2317,SC2119 # cases are called by name
# What people read is in Korean too; what programs read is the same in every language.
. "$ROOT/test/books.bash"

titles() { # every title of a column has a Korean word
    sed 's/^ *//' "$ROOT"/cmd/*.c | tr '\n' ' ' | grep -oE '\{ *"[^"]*", *"[^"]*", *CELL_[A-Z]+' |
        sed 's/.*", *"\([^"]*\)", *CELL.*/\1/' | tr '[:upper:]' '[:lower:]' | sort -u >titles
    [ "$(wc -l <titles)" -gt 150 ]
    sed -n '/titles\[\]/,/^};/s/^ *{"\([^"]*\)", .*/\1/p' "$ROOT/cmd/korean.c" | sort -u >known
    comm -23 titles known >without
    [ ! -s without ] || { cat without; return 1; }
}
it 'every title of a table has its word' titles

states() { # every state that a store can have
    sed -n '/cells\[\]/,/^};/s/^ *{"\([^"]*\)", .*/\1/p' "$ROOT/cmd/korean.c" | sort -u >known
    cat "$ROOT"/alloc/store/schema*.c | tr '\n' ' ' | sed 's/" *"//g' | grep -oE 'CHECK \((state|outcome|cause) IN *\([^)]*' |
        grep -oE "'[a-z-]+'" | tr -d "'" | sort -u >stored
    [ "$(wc -l <stored)" -gt 20 ]
    comm -23 stored known >without
    [ ! -s without ] || { cat without; return 1; }
}
it 'every state of a store has its word' states

new_store
add_tenant c1 1
listed() {
    exits 0 allot --lang ko request list
    is '없음' "$(cat "$out")"
    exits 0 allot request list
    is 'none' "$(cat "$out")"
    exits 0 allot --lang ko request submit --tenant c1 --flavor v100 --units 8
    has "$out" 'r-1 배정: g-1'
    exits 0 allot --lang ko grant list
    has "$out" '할당'
    has "$out" '테넌트'
    lacks "$out" 'TENANT'
    exits 0 allot --lang ko grant show g-1
    has "$out" '상태:'
    lacks "$out" 'state:'
    exits 0 allot --lang ko status
    has "$out" '저장 공간'
    has "$out" '신청        대기 0건, 보류 0건'
    has "$out" '할당        1 사용 중'
    lacks "$out" 'last good'
}
it 'tables and none' listed

machine() { # tsv, csv and json: byte for byte the same
    local format
    for format in tsv csv json; do
        exits 0 allot --lang ko grant list --format $format
        cp "$out" korean.$format
        exits 0 allot grant list --format $format
        cmp korean.$format "$out"
    done
    sed 's/125 TF/100 TF/; s/version 1/version 2/' test.policy >other.policy
    exits 1 allot --lang ko policy diff test.policy other.policy
    has "$out" '테넌트별 연산 한도'
    lacks "$out" 'ceiling of compute'
    exits 1 allot --lang ko --json policy diff test.policy other.policy
    cp "$out" korean.diff
    exits 1 allot --json policy diff test.policy other.policy
    cmp korean.diff "$out"
    has korean.diff 'ceiling of compute per tenant'
}
it 'what programs read is in English' machine

role() {
    sed '/^C1/i A1 approve by operator "large" ko "큰 신청" when request.compute > 60 TF;' test.policy |
        sed 's/version 1/version 3/' >roles.policy
    exits 0 allot policy load roles.policy
    add_tenant c2 2
    exits 8 allot --lang ko request submit --tenant c2 --flavor t4 --units 12
    has "$out" '운영자의 승인이 필요합니다: 큰 신청'
    lacks "$out" 'operator의'
}
it 'who must approve is named in Korean' role

checks_out() { exits 0 allot fsck; }
it 'the books close' checks_out

finish
