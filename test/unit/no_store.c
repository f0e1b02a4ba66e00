/* SPDX-License-Identifier: Apache-2.0 */
/* For tests of the commands' ground: there is no store to open. */
#include "cmd/command.h"

int call_open_store(struct call *call, struct err *e) {
    return err_set(e, ERR_NOT_FOUND, "%s: no store", call->store_path);
}

void call_close_store(struct call *call) { call->store = NULL; }
