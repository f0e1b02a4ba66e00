/* SPDX-License-Identifier: Apache-2.0 */
/* policy share: the sharing function by itself. Needs no store, and prints JSON whatever the format. */
#include "alloc/file.h"
#include "alloc/json.h"
#include "alloc/scope.h"
#include "cmd/policy.h"
#include "policies/fill_json.h"

int policy_share_run(struct call *call, struct err *e) {
    const char *path = call->arguments[0];
    scoped_json json_t *document = json_load_large_path(path, FILL_BYTES_MOST, e);
    scoped_free char *answer = document ? fill_answer(document, file_title(path), e) : NULL;
    if (!answer) return -1;
    fputs(answer, call->out);
    fputc('\n', call->out);
    return 0;
}
