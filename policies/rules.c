/* SPDX-License-Identifier: Apache-2.0 */
/* All rules of a policy as one list: kind by kind, each in the order of the file. */
#include "policies/syntax.h"

#include <stddef.h>

/* Where the rules of one kind lie, and where in each are its id and its condition. */
struct rule_list {
    const char *kind;
    const void *items;
    size_t n, size, id, when;
    bool has_when, of_request, knows_tier;
};

enum { KINDS = 10 };

#define LIST(items, n, type) (items), (n), sizeof(type), offsetof(type, id), offsetof(type, when), true
#define BARE(items, n, type) (items), (n), sizeof(type), offsetof(type, id), 0, false

static struct rule_list rules_of(const struct policy *y, size_t kind) {
    const struct rule_list lists[KINDS] = {
        {"set eligible", LIST(y->rules, y->n_rules, struct rule), true, false},
        {"set tier", LIST(y->tier_rules, y->n_tier_rules, struct tier_rule), false, false},
        {"ceiling", LIST(y->ceilings, y->n_ceilings, struct ceiling), true, true},
        {"approve", LIST(y->approves, y->n_approves, struct approve), true, true},
        {"lease", LIST(y->leases, y->n_leases, struct lease), true, true},
        {"queue", BARE(&y->queue, y->queue.id.s != NULL, struct queue_rule), false, false},
        {"borrow", BARE(&y->borrow, y->borrow.id.s != NULL, struct borrow_rule), false, false},
        {"idle", LIST(y->idles, y->n_idles, struct idle_rule), false, true},
        {"reserve", BARE(y->reserves, y->n_reserves, struct reserve_rule), false, false},
        {"budget", LIST(y->budgets, y->n_budgets, struct budget), true, true},
    };
    return lists[kind];
}

size_t policy_rules(const struct policy *policy) {
    size_t n = 0;
    for (size_t kind = 0; kind < KINDS; kind++) n += rules_of(policy, kind).n;
    return n;
}

struct any_rule policy_rule_at(const struct policy *policy, size_t at) {
    size_t kind = 0;
    struct rule_list list = rules_of(policy, kind);
    while (at >= list.n) at -= list.n, list = rules_of(policy, ++kind);
    const char *item = (const char *)list.items + at * list.size;
    struct any_rule any = {.id = (const void *)(item + list.id),
                           .kind = list.kind,
                           .of_request = list.of_request,
                           .knows_tier = list.knows_tier};
    if (list.has_when) any.when = *(struct expr *const *)(const void *)(item + list.when);
    return any;
}
