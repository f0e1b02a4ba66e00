#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Policies as texts: laid out, compiled, compared, tested, shadowed.
# shellcheck disable=SC2317,SC2119 # cases are called by their name
. "$ROOT/test/books.bash"

variant() { policy_text | sed "$1" >variant.policy; }

# ---- what a checker notes is not told where nobody asked ----

quiet() {
    variant 's/^L1 lease term [^;]*;/L1 lease term 90 days;\nU1 idle gpu_util < 10 % for 7 days, notice 5 days;/'
    exits 0 "$ALLOT" policy check variant.policy
    has "$err" 'note: '
    has "$err" 'warning: '
    exits 0 "$ALLOT" policy compile variant.policy
    has "$err" 'warning: '
    lacks "$err" 'note: '
    exits 0 "$ALLOT" policy compile pilot
    is '' "$(cat "$err")"
}
it 'a policy that is compiled brings warnings, and no notes' quiet

# ---- fmt: no store is needed ----

laid_out() {
    cat >ragged.policy <<'END'
# head
policy   "x" version 1 ;


pool p { # the pool
 basis fp32;
 flavor v100 15.6TF units 4 sizes 1,2; # eight
 # its own line
 flavor a-long-name 1 GF units 3 ;
 storage 1TB;

};
attr ai:bool; # 한국어
attr kind:enum{sme,other};
table t{a,"b c",};
set eligible{
E1 deny "no" when tenant in<t>or(kind=other and not ai);
E10 pass "yes" ko "예" otherwise;
# last
}
C1 ceiling compute 125 TF storage 1 TB;
L1 lease term 90 days renew 3,notice 14 days,grace 7 days keep-data 30 days when ai and kind = sme and not tenant in <t>;
L2 lease term 1 days;
END
    cat >neat.policy <<'END'
# head
policy "x" version 1;

pool p {   # the pool
  basis fp32;
  flavor v100        15.6 TF units 4 sizes 1, 2;   # eight
  # its own line
  flavor a-long-name 1 GF    units 3;
  storage 1 TB;
}
attr ai   : bool;   # 한국어
attr kind : enum { sme, other };
table t { a, "b c", };
set eligible {
  E1  deny "no" when tenant in <t> or (kind = other and not ai);
  E10 pass "yes" ko "예" otherwise;
  # last
}
C1 ceiling compute 125 TF storage 1 TB;
L1 lease term 90 days renew 3, notice 14 days, grace 7 days keep-data 30 days
   when ai and kind = sme and not tenant in <t>;
L2 lease term 1 days;
END
    for file in ragged.policy - neat.policy; do
        exits 0 "$ALLOT" policy fmt $file <ragged.policy
        cmp "$out" neat.policy
        LC_ALL=C exits 0 "$ALLOT" policy fmt $file <ragged.policy
        cmp "$out" neat.policy
    done
    exits 1 "$ALLOT" policy fmt --check neat.policy ragged.policy
    is ragged.policy "$(cat "$out")"
    chmod 640 ragged.policy
    exits 0 "$ALLOT" policy fmt --write ragged.policy neat.policy
    cmp ragged.policy neat.policy
    is 640 "$(stat -c %a ragged.policy)"
    exits 0 "$ALLOT" policy fmt --check neat.policy ragged.policy
    exits 0 "$ALLOT" policy fmt --check "$ROOT"/policies/*.policy
    is '' "$(find . -name '*.policy.*')" # nothing is left beside it
}
it 'a policy is laid out, with its comments' laid_out

not_laid_out() {
    variant 's/15.6 TF/15.6 XX/; s/sizes 1, 2, 4;/sizes 1, 2;;/'
    cp variant.policy before.policy
    exits 2 "$ALLOT" policy fmt --write variant.policy
    has "$err" 'variant.policy:4:'
    cmp variant.policy before.policy
    variant 's/seat = elsewhere/saet = elsewhere/'
    exits 0 "$ALLOT" policy fmt variant.policy
    has "$out" 'when saet = elsewhere;'
    exits 2 "$ALLOT" policy fmt --check --write variant.policy
    exits 2 "$ALLOT" policy fmt --write -
    exits 4 "$ALLOT" policy fmt --write pilot
}
it 'what cannot be parsed is left as it is' not_laid_out

# ---- the JSON form ----

lossless() {
    local name
    for name in pilot pilot-fp16 national; do
        exits 0 "$ALLOT" policy compile "$name" --json
        cp "$out" form.json
        exits 0 "$ALLOT" policy compile --from-json form.json
        cp "$out" back.policy
        exits 0 "$ALLOT" policy check back.policy
        exits 0 "$ALLOT" policy fmt --check back.policy
        exits 0 "$ALLOT" policy compile back.policy --json
        cmp "$out" form.json
        exits 0 "$ALLOT" policy compile "$name" # for people: the same, indented
        is "$(jq -cS . form.json)" "$(jq -cS . "$out")"
        cp "$out" indented.json
        exits 0 "$ALLOT" policy compile --from-json - --json <indented.json
        cmp "$out" form.json
    done
}
it 'a policy goes to JSON and back without loss' lossless

form_wrong() {
    local change message
    policy_text >test.policy
    "$ALLOT" policy compile test.policy --json >good.json
    while IFS=';' read -r change message; do
        jq "$change" good.json >bad.json
        exits 2 "$ALLOT" policy compile --from-json bad.json
        has "$err" "$message"
    done <<'END'
.ceilings[0].compute_gflops = "125 TF";allot: usage: bad.json: ceilings[0].compute_gflops: must be an integer
.ceilings[0].ceiling = 1;bad.json: ceilings[0].ceiling
.eligible[0].when.attribute = "saet";bad.json as text:14:
.eligible[0].when.attribute = "saet";unknown attribute 'saet'; did you mean 'seat'?
.eligible |= .[:2];set 'eligible' has no 'otherwise' rule
END
    exits 2 "$ALLOT" policy compile --from-json test.policy
    exits 2 "$ALLOT" policy compile bad.json
    exits 4 "$ALLOT" policy compile --from-json absent.json
}
it 'a form that is wrong says where' form_wrong

# ---- what two policies decide differently ----

differing() {
    policy_text >before.policy
    policy_text | sed -e 's/E2 review.*/E2 review "larger than 62.4 TF outside" when seat = moving and request.compute > 62.4 TF;/' \
        -e 's/^C1 .*/C1 ceiling per tenant compute 125 TF storage 50 TB; C3 ceiling per tenant compute 62.4 TF when urgent;/' \
        -e 's/units 24/units 32/' >after.policy
    cat >want <<'END'
---  test version 1 (before.policy)
+++  test version 1 (after.policy)

as it stands
  flavor v100   15.6 TF, 24 units, sizes 1, 2, 4, 8 -> 15.6 TF, 32 units, sizes 1, 2, 4, 8
  reason of E2  "a person looks at firms that are moving" -> "larger than 62.4 TF outside"

eligible
  seat = moving and request.compute <= 62.4 TF
    - held for a person to review (E2 before.policy:12)
    + passes (E9 after.policy:13)

ceiling of compute per tenant
  urgent
    - 125 TF (C1 before.policy:15)
    + 62.4 TF (C3 after.policy:15)

END
    exits 1 "$ALLOT" policy diff before.policy after.policy
    head -n -1 "$out" | diff want -
    exits 1 "$ALLOT" policy diff before.policy after.policy --json
    is 'seat = moving and request.compute <= 62.4 TF' "$(value '.aspects[] | select(.aspect == "eligible") | .changes[0].when')"
    is 'C3 after.policy:15' "$(value '.aspects[1].changes[0].after_rules[0] | "\(.rule) \(.place)"')"
    is '9 9 2' "$(value '.aspects[0] | "\(.profiles) \(.possible) \(.differing)"')"
    exits 1 "$ALLOT" policy diff before.policy after.policy --quiet
    is '' "$(cat "$out")"
}
it 'what two policies decide differently is said in conditions' differing

not_differing() {
    policy_text >before.policy
    { echo '# the same'; policy_text; } | sed 's/^E9/E10/; s/seat = elsewhere/not seat in { gwangju, moving }/' >after.policy
    exits 0 "$ALLOT" policy diff before.policy after.policy
    is '' "$(cat "$out")"
    exits 0 "$ALLOT" policy diff pilot pilot --json
    is true "$(value .same)"
    exits 1 "$ALLOT" policy diff pilot national
    has "$out" '+++  national-ai-data-center version'
    exits 4 "$ALLOT" policy diff before.policy absent.policy
    exits 2 "$ALLOT" policy diff before.policy form.json
}
it 'policies that decide the same do not differ' not_differing

too_many() {
    local i
    {
        policy_text | sed '/^set eligible/,$d'
        for i in $(seq 9); do echo "attr n$i : int;"; done
        echo 'set eligible { E1 deny "no" when'
        for i in $(seq 9); do echo "n$i > 5 or n$i in { 1, 3 } or"; done
        echo 'seat = elsewhere; E9 pass "yes" otherwise; }'
        policy_text | sed '1,/^}$/d' | sed -n '/^C1/,$p'
    } >before.policy
    sed 's/n1 > 5/n1 > 6/' before.policy >after.policy
    exits 1 "$ALLOT" policy diff before.policy after.policy
    has "$out" 'profiles were compared, all with '
    exits 1 "$ALLOT" policy diff before.policy after.policy --json
    is true "$(value '.aspects[0] | .possible > 1000000 and .profiles <= 200000 and (.taken | length > 0)')"
}
it 'where there are too many profiles it says how many were compared' too_many

# ---- cases ----

cases_hold() {
    policy_text >test.policy
    mkdir cases
    cat >cases/ours.yaml <<'END'
about: who may have what
policy: ../test.policy
now: 2026-03-02T00:00:00Z
cases:
  - about: a company in Gwangju gets what it asks
    tenant: {seat: gwangju}
    holds: {compute: 31.2 TF, storage: 1 TB}
    request: {compute: 62.4 TF, storage: 5 TB}
    expect: {outcome: granted, rule: E9, compute: 62.4 TF, storage: 5 TB, servers: v100 1 x 4, until: 2026-05-31 09:00}
  - tenant: {seat: elsewhere}
    request: {units: 1, flavor: t4}
    expect: {outcome: denied, rule: E1, reason: NOT_ELIGIBLE}
  - about: of what is left it takes the best
    tenant: {seat: moving}
    free: {v100: 2, t4: 0}
    request: {compute: 124.8 TF, minimum: 15.6 TF, approved-by: kim, set: {urgent: true}}
    expect: {outcome: partial, rule: E2, reason: SHRUNK, compute: 31.2 TF}
END
    exits 0 "$ALLOT" policy test cases/ours.yaml
    is '3 cases, 3 as expected, 0 failed' "$(cat "$out")"
    sed 's/partial, /granted, /; s/reason: NOT_ELIGIBLE/reason: DEBT, tier: gold/' cases/ours.yaml >cases/wrong.yaml
    exits 1 "$ALLOT" policy test cases/ours.yaml cases/wrong.yaml
    is '6 cases, 4 as expected, 2 failed' "$(cat "$out")"
    grep '^[-+c]' "$err" >said
    diff said - <<'END'
cases/wrong.yaml: case 2
- reason: DEBT
+ reason: NOT_ELIGIBLE
- tier: gold
+ tier: none
cases/wrong.yaml: case 3: of what is left it takes the best
- outcome: granted
+ outcome: partial
END
    exits 1 "$ALLOT" policy test cases/ours.yaml cases/wrong.yaml --json
    is '3 0 3 2' "$(value 'map("\(.cases) \(.failed)") | join(" ")')"
}
it 'cases in the short form say what must be decided' cases_hold

cases_wrong() {
    local change message
    while IFS='|' read -r change message; do
        sed "$change" cases/ours.yaml >cases/bad.yaml
        exits 1 "$ALLOT" policy test cases/bad.yaml
        has "$err" "$message"
    done <<'END'
s/seat: moving/seat: movin/|cases/bad.yaml:14:14: cases[2].tenant.seat: 'movin' is not a value of 'seat' (gwangju, moving, elsewhere); did you mean 'moving'?
s/seat: moving/saet: moving/|cases[2].tenant.saet: policy 'test' declares no tenant attribute 'saet'; did you mean 'seat'?
s/124.8 TF/124.8/|cases[2].request.compute:
s/v100: 2/v100: 25/|cases[2].free.v100: must be an integer from 0 to 24
s/v100: 2/v101: 2/|cases[2].free: names something that the pool does not have
s/outcome: granted/outcome: given/|cases[0].expect.outcome:
s/{outcome: denied.*/{}/|cases[1].expect: expects nothing
s/units: 1/units: 1, compute: 1 TF/|cases[1].request: asks for 'compute' or for 'units'
s/test.policy/absent.policy/|cases/bad.yaml: there is no policy cases/../absent.policy
s/now:/then:/|cases/bad.yaml
END
    exits 1 "$ALLOT" policy test absent.case
    has "$err" absent.case
}
it 'a case that is wrong says where, and counts as failed' cases_wrong

cases_full() {
    cat >full.case <<'END'
{"about": "one waits", "policy": "test.policy", "facts": {"format": 2, "now": "2026-03-02T00:00:00Z",
 "tenants": [{"name": "a", "organisation": "o", "attrs": {"seat": "gwangju"}}],
 "claims": [{"id": "r-1", "tenant": "a", "submitted": "2026-03-01T00:00:00Z", "units": 2, "flavor": "v100"}]},
 "expect": ["r-1: denied", "  PASSED: eligible (E9, test.policy:13)"]}
END
    exits 1 "$ALLOT" policy test full.case
    has "$err" 'full.case: one waits'
    has "$err" '- r-1: denied'
    has "$err" '+ r-1: granted 31.2 TF = v100 1 x 2; 0 TB; until 2026-05-31T00:00:00Z'
    exits 0 "$ALLOT" policy test full.case --update
    is '1 case, 1 as expected, 0 failed, 1 written anew' "$(cat "$out")"
    exits 0 "$ALLOT" policy test full.case
    exits 0 "$ALLOT" policy test "$ROOT"/test/policy/*.case
}
it 'the full form compares every line, and is written anew when that is asked' cases_full

# ---- a candidate beside the policy ----

new_store 2>/dev/null
add_tenant a 1
add_tenant b 2 moving

shadowed() {
    allot request submit --tenant a --purpose x --compute '31.2 TF' --set urgent=false >/dev/null
    policy_text | sed -e 's/version 1/version 2/; s/compute 125 TF/compute 31.2 TF/; s/E2 review/E2 pass/' >next.policy
    exits 4 allot policy shadow
    has "$err" 'the pool has no candidate beside its policy'
    at 2026-03-02T00:01:00Z
    exits 0 allot policy shadow next.policy --dry-run
    exits 4 allot policy shadow
    exits 0 allot policy shadow next.policy
    is next "$(sqlite3 "$STORE" 'SELECT stored FROM shadow' | jq -r '.file' | sed 's/.policy//')"
    at 2026-03-02T00:02:00Z
    allot request submit --tenant a --purpose x --compute '62.4 TF' --set urgent=false >/dev/null
    allot request submit --tenant a --purpose x --storage '1 TB' --set urgent=false >/dev/null
    exits 8 allot request submit --tenant b --purpose x --compute '15.6 TF' --set urgent=false
    exits 0 allot policy shadow --json
    is '3 3 3' "$(value '"\(.plans) \(.decisions) \(.differing)"')"
    is 'r-2 a granted 62400 denied EXCEEDS_CEILING' "$(value '.differences[0] | "\(.request) \(.tenant) \(.active.outcome) \(.active.compute_gflops) \(.candidate.outcome) \(.candidate.codes[0])"')"
    is 'r-3 denied DEBT' "$(value '.differences[1] | "\(.request) \(.candidate.outcome) \(.candidate.codes[0])"')" # 93.6 TF are held
    is 'r-4 held granted 15600 outcome,compute,codes' "$(value '.differences[2] | "\(.request) \(.active.outcome) \(.candidate.outcome) \(.candidate.compute_gflops) \(.differs | join(","))"')"
    cp "$out" shown.json
    exits 0 allot policy shadow
    has "$out" '3 of 3 decisions would have been others'
    has "$out" 'denied EXCEEDS_CEILING'
    is 1 "$(allot policy show p --json | jq .version)" # it decides nothing
    is "$(jq -r .hash shown.json)" "$(allot policy load next.policy --dry-run --json | jq -r .hash)"
    exits 0 allot policy shadow --stop
    exits 4 allot policy shadow
    exits 4 allot policy shadow --stop
    is 'policy.shadow policy.shadow-end' "$(sqlite3 "$STORE" "SELECT group_concat(kind, ' ') FROM (SELECT kind FROM entry WHERE kind LIKE 'policy.shadow%' ORDER BY seq)")"
}
it 'a candidate is set, compared with what was decided since, and ended' shadowed

shadow_refused() {
    policy_text | sed -e 's/units 24/units 25/' >next.policy
    exits 2 allot policy shadow next.policy
    has "$err" "flavor 'v100' has 25 units here and 24 in the pool"
    exits 2 allot policy shadow next.policy --stop
    exits 4 allot policy shadow absent.policy
}
it 'a candidate must restate the pool' shadow_refused

finish
