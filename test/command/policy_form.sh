#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Policies as texts: laid out, compiled, compared, tested, shadowed.
# shellcheck disable=SC2317,SC2119 # cases are called by their name
. "$ROOT/test/books.bash"

variant() { policy_text | sed "$1" >variant.policy; }

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
    exits 0 "$ALLOT" policy fmt ragged.policy
    cmp "$out" neat.policy
    exits 0 "$ALLOT" policy fmt - <ragged.policy
    cmp "$out" neat.policy
    LC_ALL=C exits 0 "$ALLOT" policy fmt ragged.policy
    cmp "$out" neat.policy
    exits 1 "$ALLOT" policy fmt --check neat.policy ragged.policy
    is ragged.policy "$(cat "$out")"
    chmod 640 ragged.policy
    exits 0 "$ALLOT" policy fmt --write ragged.policy neat.policy
    cmp ragged.policy neat.policy
    is 640 "$(stat -c %a ragged.policy)"
    exits 0 "$ALLOT" policy fmt --check neat.policy ragged.policy
    is '' "$(ls | grep 'policy\.' || true)"
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
    policy_text >test.policy
    "$ALLOT" policy compile test.policy --json >good.json
    jq '.ceilings[0].compute_gflops = "125 TF"' good.json >bad.json
    exits 2 "$ALLOT" policy compile --from-json bad.json
    has "$err" 'allot: usage: bad.json: ceilings[0].compute_gflops: must be an integer'
    jq '.ceilings[0].ceiling = 1' good.json >bad.json
    exits 2 "$ALLOT" policy compile --from-json bad.json
    has "$err" 'bad.json: ceilings[0].ceiling'
    jq '.eligible[0].when.attribute = "saet"' good.json >bad.json
    exits 2 "$ALLOT" policy compile --from-json bad.json
    has "$err" "bad.json as text:14:"
    has "$err" "unknown attribute 'saet'; did you mean 'seat'?"
    jq '.eligible |= .[:2]' good.json >bad.json
    exits 2 "$ALLOT" policy compile --from-json bad.json
    has "$err" "set 'eligible' has no 'otherwise' rule"
    exits 2 "$ALLOT" policy compile --from-json test.policy
    exits 2 "$ALLOT" policy compile bad.json
    exits 4 "$ALLOT" policy compile --from-json absent.json
}
it 'a form that is wrong says where' form_wrong

finish
