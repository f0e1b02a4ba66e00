/* SPDX-License-Identifier: Apache-2.0 */
#include "alloc/fault.h"

#include "alloc/text.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static long passed, at = -1;
static char by_name[64];
static bool by_exit;

void fault_arm(const char *specification) {
    passed = 0;
    at = -1;
    by_name[0] = '\0';
    const char *colon = specification ? strrchr(specification, ':') : NULL;
    if (!colon ||
        text_format(by_name, sizeof by_name, "%.*s", (int)(colon - specification), specification) < 0)
        return;
    by_exit = strcmp(colon, ":exit") == 0;
    long long n;
    if (text_to_int(by_name, 0, 1000000000, &n) == 0) {
        at = (long)n;
        by_name[0] = '\0';
    }
}

int fault_point(const char *name, struct err *e) {
    long number = passed++;
    if (number != at && (by_name[0] == '\0' || strcmp(by_name, name) != 0)) return 0;
    if (by_exit) _exit(99);
    return err_set(e, ERR_FAILED, "fault point %ld (%s) was told to fail", number, name);
}

long fault_passed(void) { return passed; }
