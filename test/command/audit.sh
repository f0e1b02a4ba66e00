#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2119 # functions with arguments that may be left out
# The ledger as evidence: listing, signed heads, and each way of tampering with a copied store.
. "$ROOT/test/books.bash"

key=$PWD/key.pem heads=$PWD/heads
new_store
add_tenant a 1
add_tenant b 2
at 2026-03-02T00:00:00Z

listed() {
    exits 0 allot request submit --tenant a --flavor v100 --units 4 --storage '1 TB'
    exits 0 allot request submit --tenant b --flavor t4 --units 1
    exits 0 allot audit show --json
    is "$(value length)" "$(value '.[-1].seq')"
    exits 0 allot audit show --tenant a --json
    is a "$(value '[.[].tenant] | unique[]')"
    exits 0 allot audit show --grant g-1 --kind grant.hold --json
    is 'unit/v100 reserved held 4' "$(value '.[] | select(.item != "storage") | "\(.item) \(.from) \(.to) \(.quantity)"')"
    exits 0 allot audit show --kind grant --json
    is true "$(value 'length > 4 and all(.[].kind; startswith("grant."))')"
    exits 0 allot audit show --kind tenant.add --json
    is '[null,null,null,null,null]' "$(value '.[0] | [.grant, .item, .from, .to, .quantity]' | jq -c .)"
    actor=$(allot audit show --kind tenant.add --json | jq -r '.[0].actor')
    exits 0 allot audit show --actor "$actor" --json
    is "$actor" "$(value '[.[].actor] | unique[]')"
    exits 0 allot audit show --actor 'nobody at all' --json
    is 0 "$(value length)"
    exits 0 allot audit show --since 2026-03-03T00:00:00Z --json
    is 0 "$(value length)"
    exits 0 allot audit show --until 2026-03-02T00:00:00Z --json
    is 0 "$(value length)"
    exits 2 allot audit show --grant 311
    exits 4 allot audit show --tenant nobody
}
it 'entries are listed by tenant, grant, kind, actor and time' listed

keys() {
    exits 2 allot audit head
    has "$err" 'no signing key is named'
    exits 0 allot audit key --create --key "$key"
    has "$out" 'BEGIN PUBLIC KEY'
    cp "$out" public.pem
    is 600 "$(stat -c %a "$key")"
    exits 1 allot audit key --create --key "$key"
    has "$err" 'never replaced'
    exits 0 allot audit key --key "$key"
    is "$(cat public.pem)" "$(cat "$out")"
}
it 'a key is made once, and its public half is printed' keys

heads() {
    exits 0 allot audit head --key "$key" --out "$heads"
    at 2026-03-02T01:00:00Z
    exits 0 allot request submit --tenant b --flavor t4 --units 1
    exits 0 allot audit head --key "$key" --out "$heads"
    is 2 "$(grep -c '^allot audit head 1$' "$heads")"
    exits 0 allot audit verify --head "$heads" --key "$key"
    has "$out" '2 signed heads'
    exits 0 allot audit verify --head "$heads" --key public.pem
    exits 0 allot audit verify --json
    is 0 "$(value '.findings | length')"
}
it 'heads gather in a file and are verified with the public half alone' heads

published() {
    cat >head.conf <<END
audit: {key: $key, head_file: $PWD/published}
notify: [/bin/true]
END
    at 2026-03-02T02:00:00Z
    exits 0 allot tick --confirm --config "$PWD/head.conf"
    is 1 "$(grep -c '^signature ' published)"
    exits 0 allot tick --config "$PWD/head.conf"
    is 1 "$(grep -c '^signature ' published)"
    exits 0 allot tenant add c --organisation 'org 3' --registration 100-10-00003 --set seat=gwangju
    exits 0 allot tick --config "$PWD/head.conf"
    is 2 "$(grep -c '^signature ' published)"
    exits 0 allot audit verify --head published --config "$PWD/head.conf"
}
it 'tick publishes a head when there is something new' published

# ---- tampering ----

copy() { # SQL: on a copy of the store
    rm -f copy.db*
    sqlite3 "$STORE" ".backup copy.db" # in the mode of the store: a WAL of its own
    sqlite3 copy.db "$1"
}

found() { # WORDS: by the chains alone
    exits 9 "$ALLOT" --store copy.db audit verify
    has "$out" "$1"
}

changed() {
    copy "UPDATE entry SET quantity = quantity + 1 WHERE kind = 'grant.hold' AND item = 'unit/v100'"
    found 'does not fit'
    copy "UPDATE entry SET actor = 'admin mallory' WHERE seq = 3"
    found 'entry 3 does not fit'
    copy "UPDATE entry SET at = at + 1 WHERE seq = 5"
    found 'entry 5 does not fit'
    copy "DELETE FROM entry_detail WHERE seq = 4; DELETE FROM entry WHERE seq = 4"
    found 'entry 4 is missing'
    copy "UPDATE entry_detail SET detail = 'something else' WHERE seq = (SELECT min(seq) FROM entry_detail)"
    found 'the words of entry'
}
it 'a changed or removed entry breaks the chains' changed

blanked() {
    copy "DELETE FROM entry_detail WHERE seq = (SELECT min(seq) FROM entry_detail)"
    exits 0 "$ALLOT" --store copy.db audit verify
}
it 'words may be removed: their digest stays' blanked

cut_sql="
    CREATE TEMP TABLE gone AS SELECT seq FROM entry ORDER BY seq DESC LIMIT 3;
    DELETE FROM entry_detail WHERE seq IN (SELECT seq FROM gone); DELETE FROM entry WHERE seq IN (SELECT seq FROM gone);"
ends_sql="
    DELETE FROM chain WHERE kind = 'tenant' AND id NOT IN (SELECT tenant FROM entry);
    UPDATE chain SET seq = (SELECT max(pool_seq) FROM entry WHERE pool = chain.id),
        hash = (SELECT pool_hash FROM entry WHERE pool = chain.id ORDER BY pool_seq DESC LIMIT 1) WHERE kind = 'pool';
    UPDATE chain SET seq = (SELECT max(tenant_seq) FROM entry WHERE tenant = chain.id),
        hash = (SELECT tenant_hash FROM entry WHERE tenant = chain.id ORDER BY tenant_seq DESC LIMIT 1)
        WHERE kind = 'tenant';"

cut() {
    exits 0 allot audit head --key "$key" --out "$heads"
    copy "$cut_sql"
    found 'ends after'
    copy "$cut_sql $ends_sql" # a careful hand mends the ends of the chains too
    exits 0 "$ALLOT" --store copy.db audit verify
    exits 9 "$ALLOT" --store copy.db audit verify --head "$heads" --key public.pem
    has "$out" 'is not there: the end was cut off'
}
it 'a tail that was cut off carefully is found by a head' cut

# Writes the last entry anew, with hashes that fit: all that one who has the program's source can do.
rewrite() {
    python3 - copy.db <<'END'
import hashlib, sqlite3, sys
db = sqlite3.connect(sys.argv[1])
db.row_factory = sqlite3.Row
e = dict(db.execute("SELECT * FROM entry ORDER BY seq DESC LIMIT 1").fetchone())
e["actor"] = "admin nobody"
numbers = ["seq", "at", "pool", "tenant", "request", "grant_id", "operation", "quantity"]
words = ["actor", "kind", "item", "from_kind", "to_kind", "policy", "digest"]
body = b"\x01" + b"".join(b"%d:%s," % (len(v), v) for v in (str(e[k]).encode() for k in numbers + words))
def step(kind, column, key):
    if not e[key] and key == "tenant": return
    row = db.execute(f"SELECT {kind}_hash FROM entry WHERE {key} = ? AND {kind}_seq = ?", (e[key], e[f"{kind}_seq"] - 1)).fetchone()
    h = hashlib.sha256((row[0] if row else "0" * 64).encode() + body).hexdigest()
    db.execute(f"UPDATE entry SET {kind}_hash = ?, actor = ? WHERE seq = ?", (h, e["actor"], e["seq"]))
    db.execute("UPDATE chain SET hash = ? WHERE kind = ? AND id = ?", (h, kind, e[key]))
step("pool", "pool_hash", "pool")
step("tenant", "tenant_hash", "tenant")
db.commit()
END
}
rewritten() {
    copy 'SELECT 1'
    rewrite
    exits 0 "$ALLOT" --store copy.db audit verify
    exits 0 "$ALLOT" --store copy.db audit show --actor 'admin nobody' --json
    is 1 "$(value length)"
    exits 9 "$ALLOT" --store copy.db audit verify --head "$heads" --key public.pem
    has "$out" 'was written anew'
}
it 'a tail that was written anew with hashes that fit is found by a head' rewritten

forged() {
    sed '0,/^entries /s/^entries .*/entries 1/' "$heads" >forged
    exits 9 allot audit verify --head forged --key public.pem
    has "$out" 'the signature does not fit'
    openssl genpkey -algorithm ed25519 -out other.pem 2>/dev/null
    chmod 600 other.pem
    exits 9 allot audit verify --head "$heads" --key other.pem
    printf 'allot audit head 1\nstore x\n' >short
    exits 2 allot audit verify --head short --key public.pem
    : >empty
    exits 2 allot audit verify --head empty --key public.pem
    exits 4 allot audit verify --head nowhere --key public.pem
    head -c 100000 /dev/urandom >rubbish
    exits 2 allot audit verify --head rubbish --key public.pem
}
it 'a forged head, another key, and files that are no heads are refused' forged

of_another() {
    "$ALLOT" init --store other.db --key "$key" >/dev/null
    exits 2 "$ALLOT" --store other.db audit verify --head "$heads" --key "$key"
    has "$err" 'it is of store'
}
it 'a head of another store is refused' of_another

lost() {
    exits 0 allot backup before.db
    exits 0 allot tenant add d --organisation 'org 4' --registration 100-10-00004 --set seat=gwangju
    exits 0 allot audit head --key "$key" --out after
    exits 0 allot restore before.db --to again.db
    exits 9 "$ALLOT" --store again.db audit verify --head after --key "$key"
    has "$out" 'or lost when a backup was restored'
}
it 'a restored store says which entries of a head it lost' lost

finish
