/* SPDX-License-Identifier: Apache-2.0 */
#include "alloc/fault.h"
#include "alloc/scope.h"
#include "alloc/store.h"
#include "cmd/command.h"
#include "cmd/principal.h"

#include <stdlib.h>

/* Only a store made for tests may be told another time, or be hit by faults. */
static int test_only(const struct call *call, struct err *e) {
    if (store_test_clock(call->store)) {
        fault_arm(getenv("ALLOT_FAULT"));
        return 0;
    }
    if (!call->now_given || !(call->command->flags & COMMAND_CHANGES)) return 0;
    err_set(e, ERR_USAGE, "--now changes only a store made for tests");
    return err_hint(e, "make one with: allot init --test-clock");
}

int call_open_store(struct call *call, struct err *e) {
    struct principal caller;
    bool changes = call->command->flags & COMMAND_CHANGES;
    call->store = store_open(call->store_path, changes ? STORE_WRITE : STORE_READ, e);
    if (!call->store) return -1;
    caller_find(call, &caller);
    call->role = caller.role;
    call->actor = mem_copy(caller.actor);
    return test_only(call, e);
}

void call_close_store(struct call *call) {
    store_close(call->store);
    free((char *)call->actor);
    call->store = NULL;
    call->actor = NULL;
}

int main(int argc, char **argv) { return command_main(argc, argv); }
