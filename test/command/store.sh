#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2119 # functions with arguments that may be left out
# init, backup, restore and fsck as a person or cron meets them.
. "$ROOT/test/books.bash"

made() {
    exits 0 "$ALLOT" init --store new/place/s.db --key new/keys/k.pem --json
    is new/place/s.db "$(value .store)"
    is false "$(value .test_clock)"
    is 640 "$(stat -c %a new/place/s.db)"
    is 750 "$(stat -c %a new/place)"
    is 600 "$(stat -c %a new/keys/k.pem)"
    exits 5 "$ALLOT" init --store new/place/s.db
    has "$err" 'new/place/s.db'
    exits 0 "$ALLOT" fsck --store new/place/s.db
    is 1 "$(wc -l <"$out")"
    exits 2 "$ALLOT" init --store other.db --now 2026-01-01T00:00:00Z
    exits 2 "$ALLOT" tenant add a --organisation o --registration 100-10-00001 --store new/place/s.db --now 2026-01-01T00:00:00Z
    has "$err" 'only a store made for tests'
}
it 'init makes folders, store and key for few eyes, and never twice' made

configured() {
    printf 'store: %s\naudit: {key: %s}\n' "$PWD/conf.db" "$PWD/conf.pem" >own.conf
    exits 0 "$ALLOT" init --config "$PWD/own.conf"
    is 600 "$(stat -c %a conf.pem)"
    exits 0 "$ALLOT" audit head --config "$PWD/own.conf"
    has "$out" 'signature '
    sum=$(cksum <conf.pem)
    exits 0 "$ALLOT" init --config "$PWD/own.conf" --store second.db
    is "$sum" "$(cksum <conf.pem)"
}
it 'the configured key is made when it is not there, and never replaced' configured

new_store
add_tenant a 1

saved() {
    exits 0 allot request submit --tenant a --flavor v100 --units 4 --storage '2 TB'
    exits 0 allot backup b.db --json
    is 1 "$(value .grants)"
    [ ! -e b.db-wal ]
    exits 5 allot backup b.db
    exits 0 allot tenant add z --organisation 'org 9' --registration 100-10-00009 --set seat=gwangju
    exits 0 allot backup b.db --replace
    exits 0 "$ALLOT" fsck --store b.db
    exits 5 "$ALLOT" tick --store b.db
    has "$err" 'is a backup'
    exits 0 allot backup quiet.db --quiet
    is 0 "$(wc -c <"$out")"
    exits 4 allot backup /nonexistent/b.db
    has "$err" 'mkdir -p /nonexistent'
    ls ./*.unchecked ./*.part 2>/dev/null && return 1
    return 0
}
it 'a backup is one checked file that can be read and not worked on' saved

read_only() {
    mkdir medium
    cp b.db medium/b.db
    chmod 444 medium/b.db
    chmod 555 medium
    exits 0 "$ALLOT" fsck --store medium/b.db
    exits 0 "$ALLOT" grant list --store medium/b.db
    is b.db "$(ls medium)" # root may write everywhere: nothing was written all the same
}
it 'a backup on a medium that cannot be written is read' read_only

broken() {
    rm -f copy.db*
    sqlite3 "$STORE" '.backup copy.db'
    sqlite3 copy.db "UPDATE account SET balance = balance + 1 WHERE kind = 'free'"
    exits 9 "$ALLOT" --store copy.db backup bad.db
    has "$err" 'the copy is kept as bad.db.broken'
    [ ! -e bad.db ] && [ -e bad.db.broken ]
    exits 9 "$ALLOT" --store copy.db fsck --json
    is account "$(value '.findings[0].check')"
    exits 9 "$ALLOT" --store copy.db fsck
    has "$out" 'the entries sum to'
}
it 'books that do not close are copied under another name, with status 9' broken

restored() {
    exits 2 allot restore b.db
    has "$err" '--to PATH'
    exits 0 allot restore b.db --to again.db
    has "$out" 'next: allot reconcile --dry-run'
    exits 0 "$ALLOT" --store again.db fsck
    exits 0 "$ALLOT" --store again.db audit show --kind store.restore --json
    is 1 "$(value length)"
    has "$out" 'epoch 2 begins'
    exits 0 "$ALLOT" --store again.db status --json
    is 2 "$(value .epoch)"
    exits 5 allot restore b.db --to again.db
    exits 0 "$ALLOT" --store again.db audit show --kind store.restore --json
    is 1 "$(value length)"
}
it 'a restore is a new store in a new epoch, and replaces nothing' restored

# Yesterday's backup, with everything alive: reconcile must not remove a thing.
yesterday() {
    exits 0 allot request submit --tenant a --flavor v100 --units 1
    before=$(things)
    exits 0 "$ALLOT" --store again.db --now "$NOW" reconcile
    is "$before" "$(things)"
    exits 0 "$ALLOT" --store again.db --now "$NOW" status --json
    is 1 "$(value '[.drift[] | select(.label == "backend-only")] | length')"
    exits 1 "$ALLOT" --store again.db --now "$NOW" status --check
    has "$out" 'backend-only'
    exits 0 "$ALLOT" --store again.db fsck
}
it 'reconcile after a restore removes nothing that lives, and names what it does not know' yesterday

# The same backup once more, as when the restored store was lost too: it counts from the same numbers.
twice() {
    exits 0 "$ALLOT" --store again.db --now "$NOW" request submit --tenant a --storage '1 TB'
    before=$(cat "$CLOUD")
    exits 0 allot restore b.db --to third.db
    exits 0 "$ALLOT" --store third.db --now "$NOW" request submit --tenant a --storage '1 TB' --no-provision --json
    g=$(value .grant)
    exits 0 "$ALLOT" --store third.db --now "$NOW" reconcile
    exits 0 "$ALLOT" --store third.db --now "$NOW" grant release "$g"
    exits 0 "$ALLOT" --store third.db --now "$NOW" grant purge "$g"
    exits 0 "$ALLOT" --store third.db fsck
    is "$before" "$(cat "$CLOUD")"
}
it 'two restores of one backup do not take or remove the things of each other' twice

sides() { # an umask must not shut out those who may write the store
    chmod 660 "$STORE"
    rm -f "$STORE.lock" "$STORE.reconcile"
    umask 077
    exits 0 allot reconcile
    is '660 660' "$(stat -c %a "$STORE.lock" "$STORE.reconcile" | tr '\n' ' ' | sed 's/ $//')"
    chmod 640 "$STORE"
    exits 0 allot reconcile
    is '640 640' "$(stat -c %a "$STORE.lock" "$STORE.reconcile" | tr '\n' ' ' | sed 's/ $//')"
    mv "$STORE.reconcile" kept
    ln -s kept "$STORE.reconcile"
    exits 1 allot reconcile
    mv kept "$STORE.reconcile"
}
it 'the files beside the store have its mode, and are never reached through a link' sides

locked() {
    exec 9<>"$STORE.lock"
    flock 9
    (sleep 1; true) &
    exits 0 allot status
    exits 0 timeout 5 "$ALLOT" --store "$STORE" fsck
    wait
    flock -u 9
    exec 9>&-
}
it 'reading waits for no writer' locked

foreign() {
    echo 'no store' >text.db
    exits 1 "$ALLOT" --store text.db status
    has "$err" 'text.db'
    : >empty.db
    exits 1 "$ALLOT" --store empty.db status
    has "$err" 'is not a store of allot'
    exits 1 "$ALLOT" --store missing.db status
    has "$err" 'allot init'
    exits 2 "$ALLOT" --store '' status
    has "$err" 'the path of the store is empty'
    exits 1 allot restore text.db --to x.db
    has "$err" 'is not a store of allot'
    lacks "$err" 'sound backup'
    exits 1 allot restore empty.db --to x.db
    exits 4 allot restore "$STORE" --to there/is/none.db
    has "$err" 'mkdir -p there/is'
    lacks "$err" restoring
    [ ! -e x.db ]
    exits 4 allot restore missing.db --to x.db
    sqlite3 newer.db 'PRAGMA application_id = 1634496372; PRAGMA user_version = 99; CREATE TABLE t (a)'
    exits 1 "$ALLOT" --store newer.db status
    has "$err" 'has version 99'
}
it 'what is no store, or is newer, is refused and named' foreign

finish
