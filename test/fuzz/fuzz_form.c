/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bytes that begin with '{' as the JSON form of a policy, others as its text. A form is refused with a
 * message or gives a text; what the checker takes comes back from its form the same, to the byte. Any text
 * that parses is laid out once and for all, and its layout changes nothing of its form.
 */
#include "alloc/json.h"
#include "policies/form.h"
#include "policies/print.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

static void demand(bool is_so) {
    if (!is_so) abort();
}

static int table(void *arg, const char *name, const char *file, struct text *out, struct err *e) {
    (void)arg, (void)name, (void)e;
    text_add(out, "%s\nc0001\n", file);
    return 0;
}

static struct policy *parse(const char *text, size_t length) {
    struct diagnostics d = {0};
    struct policy_source source = {"fuzz.policy", text, length, table, NULL};
    struct policy *policy = policy_parse(&source, &d);
    diagnostics_free(&d);
    return policy;
}

static bool print(const char *text, size_t length, struct text *out) {
    struct diagnostics d = {0};
    struct policy_source source = {"fuzz.policy", text, length, NULL, NULL};
    bool good = policy_print(&source, out, &d);
    demand(good == (d.count[LEVEL_ERROR] == 0));
    diagnostics_free(&d);
    return good;
}

static char *form_of(const struct policy *policy) {
    json_t *form = policy_form(policy);
    char *text = json_canonical(form);
    json_decref(form);
    return text;
}

/* A long table may pass what a policy file holds, and brackets for reading are left out in the depth only. */
static void check_lossless(const struct policy *policy) {
    char *once = form_of(policy);
    struct err e = {0};
    struct text text = {0};
    json_t *form = json_load_text(once, strlen(once), "form", &e);
    demand(form && policy_form_text(form, "form", &text, &e) == 0);
    struct policy *again = parse(text.s, text.length);
    demand(again || text.length > POLICY_BYTES);
    if (again) {
        char *twice = form_of(again);
        demand(strcmp(once, twice) == 0);
        free(twice);
    }
    policy_free(again);
    json_decref(form);
    text_free(&text);
    free(once);
}

static void try_form(const char *bytes, size_t size) {
    struct err e = {0};
    struct text text = {0};
    json_t *form = json_load_text(bytes, size, "form", &e);
    if (form && policy_form_text(form, "form", &text, &e) == 0) {
        struct policy *policy = parse(text.s, text.length);
        if (policy) check_lossless(policy);
        policy_free(policy);
    } else {
        demand(err_is(&e));
    }
    text_free(&text);
    json_decref(form);
}

static void try_text(const char *bytes, size_t size) {
    struct text once = {0}, twice = {0};
    if (print(bytes, size, &once)) {
        demand(print(once.s, once.length, &twice));
        demand(once.length == twice.length && memcmp(once.s, twice.s, once.length) == 0);
        struct policy *policy = parse(bytes, size), *laid_out = parse(once.s, once.length);
        demand(!policy == !laid_out || once.length > POLICY_BYTES);
        if (policy && laid_out) {
            char *a = form_of(policy), *b = form_of(laid_out);
            demand(strcmp(a, b) == 0);
            free(a);
            free(b);
            check_lossless(policy);
        }
        policy_free(policy);
        policy_free(laid_out);
    }
    text_free(&once);
    text_free(&twice);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size) {
    if (size > 0 && *data == '{')
        try_form((const char *)data, size);
    else
        try_text((const char *)data, size);
    return 0;
}
