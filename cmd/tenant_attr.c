/* SPDX-License-Identifier: Apache-2.0 */
#include "alloc/scope.h"
#include "cmd/output.h"
#include "cmd/tenant.h"

#include <stdlib.h>

struct attr_checks {
    size_t unchecked; /* attributes taken as text */
};

int attr_checks_open(struct call *call, struct attr_checks **out, struct err *e) {
    (void)call;
    (void)e;
    *out = mem_alloc(sizeof **out);
    return 0;
}

void attr_checks_close(struct attr_checks *checks) { free(checks); }

static int check(void *arg, const char *name, const char *value, struct err *e) {
    struct attr_checks *checks = arg;
    (void)name;
    (void)value;
    (void)e;
    checks->unchecked++;
    return 0;
}

struct tenant_checker attr_checks_checker(struct attr_checks *checks) {
    return (struct tenant_checker){check, checks};
}

void attr_checks_tell(const struct attr_checks *checks, struct call *call) {
    if (checks->unchecked == 0) return;
    output_say(call, "attributes were taken as text: no policy is loaded that could check them");
}
