/* SPDX-License-Identifier: Apache-2.0 */
/* policy compile: a policy as JSON, and back. */
#include "policies/form.h"

#include "alloc/file.h"
#include "alloc/json.h"
#include "alloc/scope.h"
#include "cmd/output.h"
#include "cmd/policy.h"

#include <stdlib.h>
#include <string.h>

/* For people in the order of the schema, for programs canonical: the same policy, the same bytes. */
static void form_print(struct call *call, const struct policy *policy) {
    scoped_json json_t *form = policy_form(policy);
    bool is_json = strcmp(call->format, "json") == 0;
    scoped_free char *text = is_json ? json_canonical(form) : json_dumps(form, JSON_INDENT(2));
    fprintf(call->out, "%s\n", text);
}

/* The text that a form says; what is wrong with its meaning is told with the place in that text. */
static struct policy *from_json(struct call *call, const char *path, struct text *text, struct diagnostics *d,
                                struct err *e) {
    scoped_json json_t *form = json_load_path(path, e);
    if (!form || policy_form_text(form, file_title(path), text, e) < 0) return NULL;
    const char *slash = strrchr(path, '/');
    scoped_text struct text title = {0};
    text_add(&title, "%s as text", slash ? slash + 1 : file_title(path));
    struct policy_source source = {title.s, text->s, text->length, NULL, NULL};
    struct policy *policy = policy_parse(&source, d);
    if (!policy) policy_fail(call, d, path, e);
    return policy;
}

static int compile_run(struct call *call, struct err *e) {
    const char *word = call->arguments[0];
    bool back = call_flag(call, "from-json");
    scoped_text struct text text = {0};
    struct diagnostics *d = mem_alloc(sizeof *d);
    struct policy *policy = back ? from_json(call, word, &text, d, e) : policy_need(call, word, e);
    if (policy) policy_warn(call, d);
    if (policy && back && strcmp(call->format, "json") != 0)
        fputs(text.s, call->out);
    else if (policy)
        form_print(call, policy);
    diagnostics_free(d);
    free(d);
    policy_free(policy);
    return policy ? 0 : -1;
}

static const struct option compile_options[] = {
    {"from-json", NULL, "the file is the JSON form: print the policy that it says", false},
    {NULL, NULL, NULL, false}};

const struct command policy_compile_commands[] = {
    {.words = "policy compile",
     .arguments = "FILE",
     .least = 1,
     .most = 1,
     .summary = "print a policy as JSON, or the policy that JSON says",
     .flags = COMMAND_NO_STORE | COMMAND_SHOWS,
     .role = ROLE_NONE,
     .options = compile_options,
     .run = compile_run},
    {.words = NULL}};
