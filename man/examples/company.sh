#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# How a company asks for compute and storage from its own script, and gives it back. Copy it and change it: it
# needs ssh and jq, and the SSH key that the centre knows. ALLOT_SSH is how to reach the centre, for example
#     export ALLOT_SSH='ssh -i ~/.ssh/allot allot@centre.example.kr'
#
#     company.sh get [--pool POOL] NAME COMPUTE STORAGE SPAN
#                                                 company.sh get train-7 '62.4 TF' '10 TB' '30 days'
#     company.sh list | usage                     what is open and held; what was used since the first of the month
#     company.sh release g-311                    give servers back; volumes stay until their date
#
# POOL is needed where the centre has more than one.
# NAME is yours: the same name with the same words asks once, however often the script is run or the line drops.
set -eu
: "${ALLOT_SSH:?say how to reach the centre: ssh -i KEY USER@HOST}"

# ask JSON: sends one line and prints the answer. Status: 0 done, 3 denied, 8 waits, others as in allot(1).
ask() {
    line=$(printf '%s\n' "$1" | $ALLOT_SSH) || { echo "company: the centre does not answer" >&2; return 6; }
    printf '%s\n' "$line" | jq -r '.error // empty | "company: \(.what)" + (if .hint then "\ncompany: hint: \(.hint)" else "" end)' >&2
    printf '%s\n' "$line" | jq -c '.answer // empty'
    return "$(printf '%s\n' "$line" | jq -r .status)"
}

get() {
    wish=$(jq -cn --arg key "$1" --arg compute "$2" --arg storage "$3" --arg span "$4" --arg pool "$pool" \
        '{do: "submit", key: $key, purpose: $key, compute: $compute, storage: $storage, for: $span}
            + if $pool == "" then {} else {pool: $pool} end')
    status=0
    answer=$(ask "$wish") || status=$?
    case $status in
    0 | 8) ;; # granted, or it waits for its turn
    *) exit "$status" ;;
    esac
    request=$(printf '%s\n' "$answer" | jq -r .request)
    # Up to a minute here; a script that can come back later asks again with the same words.
    status=0
    answer=$(ask "$(jq -cn --arg r "$request" '{do: "wait", request: $r, seconds: 60}')") || status=$?
    if [ "$status" != 0 ]; then
        echo "company: $request is $(printf '%s\n' "$answer" | jq -r '.request.state'); run this again later" >&2
        exit "$status"
    fi
    printf '%s\n' "$answer" | jq -r '.grant | "\(.grant) until \(.end)", (.things[] | "  \(.kind) \(.name) \(.connect // "")")'
}

case ${1:-} in
get)
    pool=
    if [ "${2:-}" = --pool ] && [ $# -ge 3 ]; then
        pool=$3
        shift 2
    fi
    [ $# = 5 ] || { echo 'usage: company.sh get [--pool POOL] NAME COMPUTE STORAGE SPAN' >&2; exit 2; }
    get "$2" "$3" "$4" "$5" ;;
list) ask '{"do": "list"}' | jq -r '(.requests[] | "\(.request) \(.state) \(.purpose)"), (.grants[] | "\(.grant) \(.state) until \(.end)")' ;;
usage) ask '{"do": "usage", "by": "grant"}' | jq -r '.rows[] | "\(.grant) \(.compute_tf_hours) TF-hours \(.storage_tb_hours) TB-hours"' ;;
release) [ $# = 2 ] || { echo 'usage: company.sh release GRANT' >&2; exit 2; }
    ask "$(jq -cn --arg g "$2" '{do: "release", grant: $g}')" | jq -r '"\(.grant) \(.state)"' ;;
*) echo 'usage: company.sh get [--pool POOL] NAME COMPUTE STORAGE SPAN | list | usage | release GRANT' >&2; exit 2 ;;
esac
