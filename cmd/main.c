/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/command.h"

int call_open_store(struct call *call, struct err *e) {
    return err_set(e, ERR_FAILED, "%s: no store can be opened yet", call->store_path);
}

void call_close_store(struct call *call) { call->store = NULL; }

int main(int argc, char **argv) { return command_main(argc, argv); }
