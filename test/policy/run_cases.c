/* SPDX-License-Identifier: Apache-2.0 */
/*
 * run_cases [--golden | --clean] FILE...
 *   NAME.in    a policy with mistakes: what the checker prints must be NAME.err
 *   NAME.case  decisions as data (policies/cases.h); a policy is named by its file beside the case or in
 * policies/
 * --golden rewrites what is expected; --clean wants policies without errors and warnings.
 */
#include "policies/cases.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool golden;

static char *slurp(const char *path, size_t *length) {
    FILE *f = fopen(path, "rb");
    struct text t = {0};
    char buffer[4096];
    size_t n;
    if (!f) return NULL;
    while ((n = fread(buffer, 1, sizeof buffer, f)) > 0) text_put(&t, buffer, n);
    fclose(f);
    *length = t.length;
    return text_take(&t);
}

static int spill(const char *path, const char *text) {
    FILE *f = fopen(path, "wb");
    if (!f || fputs(text, f) < 0 || fclose(f) != 0) {
        perror(path);
        return -1;
    }
    return 0;
}

/* Says where two texts part. */
static int compare(const char *path, const char *expected, const char *got) {
    if (strcmp(expected, got) == 0) return 0;
    size_t at = 0, line = 1;
    for (; expected[at] && expected[at] == got[at]; at++) line += expected[at] == '\n';
    fprintf(stderr, "%s: differs from line %zu on\n--- expected\n%s\n--- got\n%s\n", path, line, expected,
            got);
    return -1;
}

/* ---- what the checker says ---- */

static int table_given(void *arg, const char *name, const char *file, struct text *out, struct err *e) {
    const char *path = arg, *slash = strrchr(path, '/');
    struct text full = {0};
    size_t length;
    (void)name;
    text_add(&full, "%.*s%s", slash ? (int)(slash - path) + 1 : 0, path, file);
    char *text = slurp(full.s, &length);
    text_free(&full);
    if (!text) return err_set(e, ERR_NOT_FOUND, "cannot read the table %s", file);
    text_put(out, text, length);
    free(text);
    return 0;
}

static int run_check(char *path) {
    size_t length, unused;
    char *text = slurp(path, &length);
    const char *slash = strrchr(path, '/');
    struct policy_source source = {slash ? slash + 1 : path, text, length, table_given, path};
    struct diagnostics d = {0};
    struct text said = {0}, err_path = {0};
    if (!text) return perror(path), -1;
    policy_free(policy_parse(&source, &d));
    diagnostics_print(&d, &said);
    text_add(&err_path, "%.*serr", (int)strlen(path) - 2, path);
    char *got = text_take(&said), *expected = golden ? NULL : slurp(err_path.s, &unused);
    int rc = golden ? spill(err_path.s, got) : compare(err_path.s, expected ? expected : "", got);
    diagnostics_free(&d);
    text_free(&err_path);
    free(expected);
    free(text);
    free(got);
    return rc;
}

static int run_clean(const char *path) {
    struct diagnostics d = {0};
    struct err e = {0};
    struct text said = {0};
    struct policy *policy = policy_read(path, &d, &e);
    diagnostics_print(&d, &said);
    bool clean = policy && d.count[LEVEL_WARNING] == 0;
    if (!clean) fprintf(stderr, "%s\n%s\n", e.what, said.s ? said.s : "");
    policy_free(policy);
    diagnostics_free(&d);
    text_free(&said);
    return clean ? 0 : -1;
}

/* ---- decisions ---- */

/* Beside the case, or in policies/. */
static char *policy_of(void *arg, const char *path, const char *name, struct err *e) {
    struct text full = {0};
    (void)arg;
    (void)e;
    text_add(&full, "%.*s%s", (int)(strrchr(path, '/') - path) + 1, path, name);
    if (access(full.s, R_OK) == 0) return text_take(&full);
    text_free(&full);
    text_add(&full, "policies/%s", name);
    return text_take(&full);
}

static int run_case(const char *path, struct err *e) {
    struct case_files files = {.policy = policy_of, .update = golden};
    struct case_result result = {0};
    int rc = case_run(path, &files, &result, e);
    if (result.said.s) fputs(result.said.s, stderr);
    if (result.failed > 0) rc = -1;
    case_result_free(&result);
    return rc;
}

static bool ends_with(const char *s, const char *end) {
    size_t n = strlen(s), m = strlen(end);
    return n >= m && strcmp(s + n - m, end) == 0;
}

int main(int argc, char **argv) {
    int failed = 0, ran = 0;
    bool clean = false;
    for (int i = 1; i < argc; i++) {
        struct err e = {0};
        int rc;
        if (strcmp(argv[i], "--golden") == 0)
            golden = true;
        else if (strcmp(argv[i], "--clean") == 0)
            clean = true;
        else {
            rc = clean                         ? run_clean(argv[i])
                 : ends_with(argv[i], ".case") ? run_case(argv[i], &e)
                                               : run_check(argv[i]);
            if (err_is(&e)) fprintf(stderr, "%s: %s\n", argv[i], e.what);
            ran++;
            failed += rc != 0;
        }
    }
    printf("policy: %d of %d %s\n", ran - failed, ran, clean ? "policies are clean" : "cases as expected");
    return failed || !ran;
}
