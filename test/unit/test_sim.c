/* SPDX-License-Identifier: Apache-2.0 */
/* The simulator on worlds small enough to see the answer: offers, exchanges, credits, calls and agreements.
 */
#include "alloc/offer_grow.h"
#include "policies/measure.h"
#include "policies/sim.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Eight cards; a tenant may have all of them. 2027-01-01 00:00 in Korea is 2026-12-31T15:00:00Z. */
#define POOL                                                                                                 \
    "policy \"p\" version 1;\npool p { basis fp32; flavor v100 10 TF units 8 sizes 1, 2, 4, 8; storage 10 "  \
    "TB; }\nset eligible { E9 pass \"yes\" otherwise; }\nC1 ceiling compute 80 TF storage 10 TB;\n"
#define LEASE "L1 lease term 30 days, renew 1, notice 7 days, grace 2 days, keep-data 0 days"
#define QUEUE "Q1 queue order share, credits, wait, id hold 3 days;\n"

struct ran {
    struct policy *policy;
    struct world world;
    struct sim sim;
    json_t *measures;
};

static void run_until(struct ran *r, const char *rules, const char *events, const char *until) {
    static const char tenants[] = "name\na\nb\nc\n";
    struct policy_source source = {"p.policy", rules, strlen(rules), NULL, NULL};
    struct diagnostics d = {0};
    struct err e = {0};
    struct sim_options o = {.world = &r->world, .sentences = true};
    memset(r, 0, sizeof *r);
    r->policy = policy_parse(&source, &d);
    diagnostics_free(&d);
    assert_non_null(r->policy);
    o.policy = r->policy;
    assert_int_equal(instant_parse(until, &o.until, &e), 0);
    if (world_read_tenants(&r->world, tenants, strlen(tenants), "tenants.csv", &e) < 0 ||
        world_read_events(&r->world, events, strlen(events), "events.jsonl", &e) < 0 ||
        sim_run(&r->sim, &o, &e) < 0)
        fail_msg("%s", e.what);
    r->measures = measures_of(&r->sim);
}

static void run(struct ran *r, const char *rules, const char *events) {
    run_until(r, rules, events, "2027-01-31T00:00:00Z");
}

static void end(struct ran *r) {
    json_decref(r->measures);
    sim_end(&r->sim);
    world_free(&r->world);
    policy_free(r->policy);
}

/* "2027-01-01T01 r-1 granted; ...": what the log says of requests. */
static void log_is(const struct ran *r, const char *wanted) {
    struct text got = {0};
    for (const char *line = r->sim.log.s; line && *line; line = strchr(line, '\n') + 1) {
        scoped_json json_t *o = json_loads(line, JSON_DISABLE_EOF_CHECK, NULL);
        const char *what = json_string_value(json_object_get(o, "event")),
                   *request = json_string_value(json_object_get(o, "request")),
                   *detail = json_string_value(json_object_get(o, "detail"));
        if (strcmp(what, "decision") == 0) what = json_string_value(json_object_get(o, "outcome"));
        text_add(&got, "%.13s %s %s%s%s\n", json_string_value(json_object_get(o, "at")),
                 request ? request : json_string_value(json_object_get(o, "what")), what, detail ? " " : "",
                 detail ? detail : "");
    }
    assert_string_equal(got.s ? got.s : "", wanted);
    text_free(&got);
}

static int64_t measure(const struct ran *r, const char *of, const char *key) {
    const json_t *o = json_object_get(r->measures, of);
    return json_integer_value(json_object_get(json_is_array(o) ? json_array_get(o, 0) : o, key));
}

#define AT(time) "{\"at\":\"" time "Z\","
#define REQUEST(id, tenant, n)                                                                               \
    "\"event\":\"request\",\"id\":\"" id "\",\"tenant\":\"" tenant "\",\"flavor\":\"v100\",\"units\":" #n
#define ACT(time, act, id) AT(time) "\"event\":\"" act "\",\"request\":\"" id "\"}\n"
#define SIX_OF_A           AT("2027-01-01T01:00:00") REQUEST("r-1", "a", 6) "}\n"

/* ---- offers ---- */

static void an_offer_that_nobody_takes_ends_and_is_not_made_again(void **state) {
    (void)state;
    struct ran r;
    run_until(&r, POOL LEASE ";\n" QUEUE,
              SIX_OF_A AT("2027-01-01T02:00:00") REQUEST("r-2", "b", 4) ",\"minimum_units\":1}\n",
              "2027-01-10T00:00:00Z");
    log_is(&r, "2027-01-01T01 r-1 granted\n2027-01-01T02 r-2 partial\n");
    end(&r);
    run_until(&r, POOL LEASE ";\n" QUEUE, SIX_OF_A AT("2027-01-01T02:00:00") REQUEST("r-2", "b", 4) "}\n",
              "2027-01-10T00:00:00Z");
    log_is(&r, "2027-01-01T01 r-1 granted\n2027-01-01T02 r-2 queued\n2027-01-01T02 r-2 offer 20 TF\n"
               "2027-01-04T15 r-2 offer ended expired\n");
    assert_int_equal(measure(&r, "offers", "made"), 1);
    assert_int_equal(measure(&r, "offers", "expired"), 1);
    assert_int_equal(measure(&r, "offers", "open"), 0);
    assert_int_equal(r.sim.flavors[0].free.n, 2);
    assert_int_equal(sim_held(&r.sim, 1), 0);
    end(&r);
}

static void what_is_offered_is_not_given_to_others(void **state) {
    (void)state;
    struct ran r;
    run_until(&r, POOL LEASE ";\n" QUEUE,
              SIX_OF_A AT("2027-01-01T02:00:00") REQUEST("r-2", "b", 4) "}\n" AT("2027-01-01T03:00:00")
                  REQUEST("r-3", "c", 2) "}\n",
              "2027-01-10T00:00:00Z");
    log_is(&r,
           "2027-01-01T01 r-1 granted\n2027-01-01T02 r-2 queued\n2027-01-01T02 r-2 offer 20 TF\n"
           "2027-01-01T03 r-3 queued\n2027-01-04T15 r-2 offer ended expired\n2027-01-04T15 r-3 granted\n");
    end(&r);
}

static void an_offer_is_taken_by_an_event_or_by_itself(void **state) {
    (void)state;
    struct ran r;
    run(&r, POOL LEASE ";\n" QUEUE,
        SIX_OF_A AT("2027-01-01T02:00:00")
            REQUEST("r-2", "b", 4) "}\n" ACT("2027-01-02T02:00:00", "accept", "r-2")
                ACT("2027-01-02T03:00:00", "accept", "r-2"));
    log_is(&r, "2027-01-01T01 r-1 granted\n2027-01-01T02 r-2 queued\n2027-01-01T02 r-2 offer 20 TF\n"
               "2027-01-02T02 r-2 offer ended taken\n2027-01-02T02 r-2 partial\n2027-01-02T03 accept without "
               "effect\n");
    assert_int_equal(sim_held(&r.sim, 1), 20000);
    assert_int_equal(measure(&r, "outcomes", "partial"), 1);
    end(&r);
    run(&r, POOL LEASE ";\n" QUEUE,
        SIX_OF_A AT("2027-01-01T02:00:00") REQUEST("r-2", "b", 4) ",\"accepts_seconds\":90000}\n");
    log_is(&r, "2027-01-01T01 r-1 granted\n2027-01-01T02 r-2 queued\n2027-01-01T02 r-2 offer 20 TF\n"
               "2027-01-02T15 r-2 offer ended taken\n2027-01-02T15 r-2 partial\n");
    assert_int_equal(measure(&r, "offers", "taken"), 1);
    end(&r);
}

static void an_offer_ends_when_all_can_be_had(void **state) {
    (void)state;
    struct ran r;
    run(&r, POOL LEASE ";\n" QUEUE,
        SIX_OF_A AT("2027-01-01T02:00:00")
            REQUEST("r-2", "b", 4) "}\n" ACT("2027-01-02T02:00:00", "release", "r-1"));
    log_is(
        &r,
        "2027-01-01T01 r-1 granted\n2027-01-01T02 r-2 queued\n2027-01-01T02 r-2 offer 20 TF\n"
        "2027-01-02T02 r-1 given back\n2027-01-02T15 r-2 offer ended outgrown\n2027-01-02T15 r-2 granted\n");
    assert_int_equal(measure(&r, "offers", "outgrown"), 1);
    end(&r);
}

static void an_offer_ends_with_its_cards_or_its_request(void **state) {
    (void)state;
    struct ran r;
    run(&r, POOL LEASE ";\n" QUEUE,
        SIX_OF_A AT("2027-01-01T02:00:00") REQUEST("r-2", "b", 4) "}\n" AT(
            "2027-01-02T02:00:00") "\"event\":\"loss\",\"flavor\":\"v100\","
                                   "\"units\":1}\n" ACT("2027-01-02T03:00:00", "release", "r-2"));
    log_is(&r, "2027-01-01T01 r-1 granted\n2027-01-01T02 r-2 queued\n2027-01-01T02 r-2 offer 20 TF\n"
               "2027-01-02T02 r-2 offer ended lost\n2027-01-02T02 r-2 offer 10 TF\n"
               "2027-01-02T03 r-2 offer ended withdrawn\n2027-01-02T03 r-2 withdrawn\n");
    assert_int_equal(measure(&r, "offers", "lost"), 1);
    assert_int_equal(measure(&r, "offers", "withdrawn"), 1);
    end(&r);
}

/* ---- exchanges ---- */

static void the_new_one_stands_before_the_old_one_goes(void **state) {
    (void)state;
    struct ran r;
    run(&r, POOL LEASE ";\n" QUEUE,
        AT("2027-01-01T01:00:00") REQUEST("r-1", "a", 4) "}\n" AT("2027-01-02T02:00:00")
            REQUEST("r-2", "a", 4) ",\"replaces\":\"r-1\"}\n" AT("2027-01-03T02:00:00")
                REQUEST("r-3", "a", 8) ",\"replaces\":\"r-2\"}\n" AT("2027-01-04T02:00:00")
                    REQUEST("r-4", "a", 1) ",\"replaces\":\"r-1\"}\n" AT("2027-01-05T02:00:00")
                        REQUEST("r-5", "a", 1) ",\"replaces\":\"r-2\"}\n");
    log_is(&r,
           "2027-01-01T01 r-1 granted\n2027-01-02T02 r-2 granted\n2027-01-02T02 r-1 replaced r-2\n"
           "2027-01-03T02 r-3 queued\n2027-01-03T02 r-3 offer 40 TF\n2027-01-04T02 request without effect\n"
           "2027-01-05T02 request without effect\n2027-01-06T15 r-3 offer ended expired\n");
    assert_int_equal(json_integer_value(json_object_get(r.measures, "swaps")), 1);
    assert_int_equal(sim_held(&r.sim, 0), 40000);
    end(&r);
}

/* ---- credits ---- */

static void who_had_less_than_its_share_has_credits(void **state) {
    (void)state;
    struct ran r;
    run_until(&r, POOL LEASE ";\n" QUEUE,
              AT("2027-01-01T15:00:00")
                  REQUEST("r-1", "a", 8) ",\"keeps_seconds\":864000}\n" AT("2027-01-12T15:00:00")
                      REQUEST("r-2", "b", 1) ",\"keeps_seconds\":864000}\n",
              "2027-01-25T00:00:00Z");
    /* A third of 80 TF each, within the ceiling: a had 80 for ten days, b 10. */
    assert_int_equal(r.sim.facts[0].credits, (26666 * 10 - 80000 * 10) / 1000);
    assert_int_equal(r.sim.facts[1].credits, (26666 * 10 - 10000 * 10) / 1000);
    assert_int_equal(measure(&r, "credits", "settled"), 2);
    end(&r);
}

/* ---- calls ---- */

#define CALLED(id, tenant, n) AT("2027-01-01T03:00:00") REQUEST(id, tenant, n) ",\"call\":\"c\"}\n"
#define THREE                 CALLED("r-1", "a", 4) CALLED("r-2", "b", 2) CALLED("r-3", "c", 2)
#define AWARD(more)                                                                                          \
    AT("2027-01-10T01:00:00")                                                                                \
    "\"event\":\"award\",\"call\":\"c\",\"order\":[\"r-1\",\"r-2\",\"r-3\"]" more "}\n"

static void a_call_gives_its_own_share_and_then_its_reserve_list(void **state) {
    (void)state;
    struct ran r;
    run(&r, POOL LEASE ";\n" QUEUE,
        AT("2027-01-01T01:00:00") "\"event\":\"call\",\"call\":\"c\",\"compute_gflops\":65000}\n" THREE AWARD(
            "") ACT("2027-01-12T01:00:00", "decline", "r-2") ACT("2027-01-12T02:00:00", "decline", "r-2"));
    log_is(&r,
           "2027-01-01T03 r-1 in call c\n2027-01-01T03 r-2 in call c\n2027-01-01T03 r-3 in call c\n"
           "2027-01-10T01 r-1 granted\n2027-01-10T01 r-2 granted\n2027-01-10T01 r-3 held\n"
           "2027-01-12T01 r-2 declined\n2027-01-12T02 decline without effect\n2027-01-12T15 r-3 granted\n");
    assert_int_equal(measure(&r, "calls", "given_gflops"), 60000);
    assert_int_equal(measure(&r, "calls", "moved_up"), 1);
    assert_int_equal(measure(&r, "calls", "declined"), 1);
    end(&r);
}

static void what_is_not_signed_in_time_goes_to_the_next(void **state) {
    (void)state;
    struct ran r;
    run(&r, POOL LEASE ", agreement;\n" QUEUE,
        AT("2027-01-01T01:00:00") "\"event\":\"call\",\"call\":\"c\",\"compute_gflops\":65000}\n" THREE AWARD(
            ",\"sign_by\":\"2027-01-15T15:00:00Z\"") ACT("2027-01-11T01:00:00", "agree", "r-1")
            ACT("2027-01-11T02:00:00", "agree", "r-3") ACT("2027-01-18T01:00:00", "agree", "r-3"));
    log_is(&r, "2027-01-01T03 r-1 in call c\n2027-01-01T03 r-2 in call c\n2027-01-01T03 r-3 in call c\n"
               "2027-01-10T01 r-1 granted\n2027-01-10T01 r-2 granted\n2027-01-10T01 r-3 held\n"
               "2027-01-11T01 r-1 agreed\n2027-01-11T02 agree without effect\n2027-01-15T15 r-2 not signed\n"
               "2027-01-15T15 r-3 granted\n2027-01-18T01 r-3 agreed\n");
    assert_int_equal(measure(&r, "calls", "not_signed"), 1);
    assert_int_equal(measure(&r, "outcomes", "denied"), 1);
    end(&r);
}

static void an_agreement_comes_before_the_old_one_goes(void **state) {
    (void)state;
    struct ran r;
    run(&r, POOL LEASE ", agreement;\n" QUEUE,
        AT("2027-01-01T01:00:00")
            REQUEST("r-1", "a", 4) ",\"agreed\":\"2027-01-01T00:00:00Z\"}\n" AT("2027-01-02T02:00:00")
                REQUEST("r-2", "a", 2) ",\"replaces\":\"r-1\"}\n" ACT("2027-01-05T01:00:00", "agree", "r-2"));
    log_is(&r, "2027-01-01T01 r-1 granted\n2027-01-02T02 r-2 granted\n2027-01-05T01 r-2 agreed\n"
               "2027-01-05T01 r-1 replaced r-2\n");
    assert_int_equal(sim_held(&r.sim, 0), 20000);
    end(&r);
}

/* ---- which offers grow ---- */

/* So many are free; each has some of them set aside and needs more. In order, who fits is given. */
struct growing {
    int free, own[64], needs[64];
    bool lifted[64];
    size_t n;
    int plans;
};

static int grow_lift(void *arg, size_t i, struct err *e) {
    struct growing *g = arg;
    (void)e;
    assert_false(g->lifted[i]);
    g->lifted[i] = true;
    g->free += g->own[i];
    return 0;
}

static int grow_put_back(void *arg, size_t i, struct err *e) {
    struct growing *g = arg;
    (void)e;
    assert_true(g->lifted[i]);
    g->lifted[i] = false;
    g->free -= g->own[i];
    return 0;
}

static int grow_plan(void *arg, bool *given, struct err *e) {
    struct growing *g = arg;
    int left = g->free;
    (void)e;
    g->plans++;
    for (size_t i = 0; i < g->n; i++) {
        given[i] = g->lifted[i] && g->needs[i] <= left;
        if (given[i]) left -= g->needs[i];
    }
    return 0;
}

static void grows(struct growing *g, const char *wanted, int plans_most) {
    const struct offer_trial by = {g, grow_lift, grow_put_back, grow_plan};
    bool outgrown[64];
    char got[65] = {0};
    assert_int_equal(offer_grow(&by, g->n, outgrown, NULL), 0);
    for (size_t i = 0; i < g->n; i++) {
        got[i] = outgrown[i] ? 'x' : '.';
        assert_int_equal(outgrown[i], g->lifted[i]);
    }
    assert_string_equal(got, wanted);
    assert_in_range(g->plans, 0, plans_most);
}

static void those_that_could_have_all_outgrow_their_offers(void **state) {
    (void)state;
    grows(&(struct growing){.n = 0}, "", 0);
    grows(&(struct growing){.free = 4, .own = {2, 2}, .needs = {4, 4}, .n = 2}, "xx", 1);
    grows(&(struct growing){.free = 2, .own = {2, 2}, .needs = {9, 4}, .n = 2}, ".x", 3);
    grows(&(struct growing){.free = 0, .own = {1, 1, 1}, .needs = {4, 4, 4}, .n = 3}, "...", 1);
    /* The first would take what is set aside for the second: neither stands in the way of the third. */
    grows(&(struct growing){.free = 1, .own = {1, 2, 1}, .needs = {4, 9, 2}, .n = 3}, "..x", 5);
}

static void many_offers_need_few_plans(void **state) {
    (void)state;
    struct growing g = {.n = 60, .free = 20};
    for (size_t i = 0; i < g.n; i++) g.own[i] = 1, g.needs[i] = 2;
    grows(&g, "xxxxxxxxxxxxxxxxxxxx........................................", OFFER_TRIALS_MOST);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_offer_that_nobody_takes_ends_and_is_not_made_again),
        cmocka_unit_test(what_is_offered_is_not_given_to_others),
        cmocka_unit_test(an_offer_is_taken_by_an_event_or_by_itself),
        cmocka_unit_test(an_offer_ends_when_all_can_be_had),
        cmocka_unit_test(an_offer_ends_with_its_cards_or_its_request),
        cmocka_unit_test(the_new_one_stands_before_the_old_one_goes),
        cmocka_unit_test(who_had_less_than_its_share_has_credits),
        cmocka_unit_test(a_call_gives_its_own_share_and_then_its_reserve_list),
        cmocka_unit_test(what_is_not_signed_in_time_goes_to_the_next),
        cmocka_unit_test(an_agreement_comes_before_the_old_one_goes),
        cmocka_unit_test(those_that_could_have_all_outgrow_their_offers),
        cmocka_unit_test(many_offers_need_few_plans),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
