/* SPDX-License-Identifier: Apache-2.0 */
/*
 * run_share [--golden] FILE...
 *   NAME.json  {"about", "source", "input", "expect": the answer}, the same to the byte from claims and
 * resources turned around; or "refused": the message instead of an answer. "theirs" has the steps that the
 * source publishes: they must be ours, or, where a "difference" gives the reason, must not be NAME.in input
 * that is refused: the message must be NAME.err
 * --golden rewrites what is expected.
 */
#include "alloc/json.h"
#include "alloc/scope.h"
#include "policies/fill_json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool golden;

static int complain(const char *path, const char *what, const char *expected, const char *got) {
    fprintf(stderr, "%s: %s\n--- expected\n%s\n--- got\n%s\n", path, what, expected, got);
    return -1;
}

static int spill(const char *path, const char *text) {
    FILE *f = fopen(path, "wb");
    if (!f || fputs(text, f) < 0 || fclose(f) != 0) {
        perror(path);
        return -1;
    }
    return 0;
}

/* ---- refused ---- */

static int run_refused(const char *path) {
    struct err e = {0};
    scoped_text struct text err_path = {0}, got = {0};
    scoped_json json_t *document = json_load_path(path, &e);
    const char *slash = strrchr(path, '/');
    size_t folder = slash ? (size_t)(slash - path) + 1 : 0;
    scoped_free char *answer = document ? fill_answer(document, path + folder, &e) : NULL;
    if (answer) return complain(path, "is answered", "a refusal", answer);
    /* a syntax error names the whole path */
    const char *what = strncmp(e.what, path, folder) == 0 ? e.what + folder : e.what;
    text_add(&err_path, "%.*serr", (int)strlen(path) - 2, path);
    text_add(&got, "%s%s%s\n", what, e.hint[0] ? " -> " : "", e.hint);
    if (golden) return spill(err_path.s, got.s);
    FILE *f = fopen(err_path.s, "rb");
    char expected[2048] = "";
    if (f) {
        expected[fread(expected, 1, sizeof expected - 1, f)] = '\0';
        fclose(f);
    }
    return strcmp(expected, got.s) == 0 ? 0 : complain(path, "is refused otherwise", expected, got.s);
}

/* ---- answered ---- */

static json_t *turned(const json_t *input) {
    json_t *copy = json_deep_copy(input), *claims = json_array(), *capacity = json_object(), *value;
    const char *key;
    size_t i;
    json_array_foreach(json_object_get(copy, "claims"), i, value) json_array_insert(claims, 0, value);
    for (size_t n = json_object_size(json_object_get(copy, "capacity")); n-- > 0;) {
        size_t k = 0;
        json_object_foreach(json_object_get(copy, "capacity"), key, value) if (k++ == n)
            json_object_set(capacity, key, value);
    }
    json_object_set_new(copy, "claims", claims);
    json_object_set_new(copy, "capacity", capacity);
    return copy;
}

static int check_theirs(const char *path, json_t *root, const char *answer) {
    struct err e = {0};
    const json_t *theirs = json_object_get(root, "theirs");
    if (!theirs) return 0;
    scoped_json json_t *ours = json_load_text(answer, strlen(answer), path, &e);
    bool same = json_equal(theirs, json_object_get(ours, "given"));
    if (same != !json_object_get(root, "difference"))
        return complain(path, "theirs and ours", same ? "a difference" : "the same", answer);
    return 0;
}

/* One member a line, so that a long order stays one line. */
static int write_case(const char *path, json_t *root) {
    scoped_text struct text t = {0};
    const char *key;
    json_t *value;
    json_object_foreach(root, key, value) {
        scoped_free char *line = json_dumps(value, JSON_ENCODE_ANY);
        text_add(&t, "%s\"%s\": %s", t.length ? ",\n " : "{", key, line);
    }
    text_add(&t, "}\n");
    return spill(path, t.s);
}

static int run_case(const char *path) {
    struct err e = {0}, turned_e = {0};
    scoped_json json_t *root = json_load_path(path, &e);
    if (!root) return complain(path, "cannot be read", "", e.what);
    scoped_json json_t *input = json_incref(json_object_get(root, "input"));
    scoped_json json_t *other = turned(input);
    scoped_free char *answer = fill_answer(input, "input", &e),
                     *again = fill_answer(other, "input", &turned_e);
    if (!answer != !again || (answer && strcmp(answer, again) != 0))
        return complain(path, "another order gives", answer ? answer : e.what, again ? again : turned_e.what);
    if (golden) {
        json_object_del(root, answer ? "refused" : "expect");
        json_object_set_new(root, answer ? "expect" : "refused",
                            answer ? json_load_text(answer, strlen(answer), path, &e) : json_string(e.what));
        return write_case(path, root);
    }
    const char *refused = json_string_value(json_object_get(root, "refused"));
    scoped_free char *expected = json_dumps(json_object_get(root, "expect"), JSON_SORT_KEYS);
    const char *wanted = expected ? expected : refused ? refused : "";
    if (strcmp(wanted, answer ? answer : e.what) != 0 || (refused && expected))
        return complain(path, "differs", wanted, answer ? answer : e.what);
    return answer ? check_theirs(path, root, answer) : 0;
}

int main(int argc, char **argv) {
    int failed = 0, ran = 0;
    for (int i = 1; i < argc; i++) {
        size_t n = strlen(argv[i]);
        if (strcmp(argv[i], "--golden") == 0) {
            golden = true;
            continue;
        }
        ran++;
        failed +=
            (n > 3 && strcmp(argv[i] + n - 3, ".in") == 0 ? run_refused(argv[i]) : run_case(argv[i])) != 0;
    }
    printf("share: %d of %d cases as expected\n", ran - failed, ran);
    return failed || !ran;
}
