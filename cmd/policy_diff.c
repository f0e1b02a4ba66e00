/* SPDX-License-Identifier: Apache-2.0 */
/* policy diff: what two policies decide differently. */
#include "policies/differ.h"

#include "alloc/json.h"
#include "alloc/scope.h"
#include "cmd/output.h"
#include "cmd/policy.h"

#include <stdlib.h>
#include <string.h>

/* ---- for people ---- */

static const char *text_of(const json_t *object, const char *key) {
    const char *s = json_string_value(json_object_get(object, key));
    return s ? s : "-";
}

static json_int_t int_of(const json_t *object, const char *key) {
    return json_integer_value(json_object_get(object, key));
}

static void head_tell(const json_t *difference, bool korean, struct text *out) {
    static const char *const sides[] = {"before", "after"};
    for (size_t i = 0; i < 2; i++) {
        const json_t *side = json_object_get(difference, sides[i]);
        text_add(out, korean ? "%s  %s %lld판 (%s)\n" : "%s  %s version %lld (%s)\n", i ? "+++" : "---",
                 text_of(side, "policy"), (long long)int_of(side, "version"), text_of(side, "file"));
    }
}

static void plain_tell(const json_t *difference, bool korean, struct text *out) {
    const json_t *list = json_object_get(difference, "plain");
    size_t i, widest = 0;
    json_t *line;
    if (json_array_size(list) == 0) return;
    text_add(out, korean ? "\n정책에 적힌 그대로\n" : "\nas it stands\n");
    json_array_foreach(list, i, line) {
        size_t n = text_width(text_of(line, "what"));
        if (n > widest) widest = n;
    }
    json_array_foreach(list, i, line) {
        const char *what = text_of(line, "what"), *before = text_of(line, "before"),
                   *after = text_of(line, "after");
        text_add(out, "  %s%*s  %s", what, (int)(widest - text_width(what)), "", before);
        if (text_width(before) + text_width(after) + widest > 100) text_add(out, "\n  %*s ", (int)widest, "");
        text_add(out, " -> %s\n", after);
    }
}

/* "passes (E9 pilot.policy:44)" */
static void outcome_tell(const json_t *change, const char *side, const char *rules, struct text *out) {
    size_t i;
    json_t *rule;
    text_add(out, "%s", text_of(change, side));
    json_array_foreach(json_object_get(change, rules), i, rule)
        text_add(out, "%s%s %s", i ? ", " : " (", text_of(rule, "rule"), text_of(rule, "place"));
    if (i > 0) text_add(out, ")");
}

static void aspect_tell(const json_t *aspect, bool korean, struct text *out) {
    const json_t *changes = json_object_get(aspect, "changes");
    size_t i;
    json_t *change;
    if (json_array_size(changes) == 0) return;
    text_add(out, "\n%s\n", text_of(aspect, "aspect"));
    json_array_foreach(changes, i, change) {
        text_add(out, "  %s\n    - ", text_of(change, "when"));
        outcome_tell(change, "before", "before_rules", out);
        text_add(out, "\n    + ");
        outcome_tell(change, "after", "after_rules", out);
        text_add(out, "\n");
    }
    if (int_of(aspect, "left_out") > 0)
        text_add(out, korean ? "  외 %lld개 유형이 다릅니다\n" : "  and %lld more profiles that differ\n",
                 (long long)int_of(aspect, "left_out"));
}

static void taken_tell(const json_t *aspect, bool korean, struct text *out) {
    const json_t *taken = json_object_get(aspect, "taken");
    size_t i;
    json_t *what;
    if (json_array_size(taken) == 0) return;
    text_add(out,
             korean ? "%1$s: 전체 %3$lld개 가운데 %2$lld개 유형만 비교했으며 조건은 다음과 같습니다: "
                    : "%s: %lld of %lld profiles were compared, all with ",
             text_of(aspect, "aspect"), (long long)int_of(aspect, "profiles"),
             (long long)int_of(aspect, "possible"));
    json_array_foreach(taken, i, what)
        text_add(out, "%s%s", i ? (korean ? ", " : " and ") : "", json_string_value(what));
    text_add(out, korean ? "\n" : "; the rest was not\n");
}

static void foot_tell(const json_t *difference, bool korean, struct text *out) {
    size_t i;
    json_t *aspect;
    long long profiles = 0, differing = 0, same = 0;
    json_array_foreach(json_object_get(difference, "aspects"), i, aspect) {
        profiles += int_of(aspect, "profiles");
        differing += int_of(aspect, "differing");
        same += int_of(aspect, "differing") == 0;
    }
    text_add(out,
             korean ? "\n다른 유형: %lld / %lld, 비교한 항목 %zu개 가운데 %lld개는 같습니다\n"
                    : "\n%lld of %lld profiles differ, over %zu aspects; %lld aspects are the same\n",
             differing, profiles, i, same);
    json_array_foreach(json_object_get(difference, "aspects"), i, aspect) taken_tell(aspect, korean, out);
}

static void difference_tell(struct call *call, const json_t *difference, bool korean) {
    scoped_text struct text out = {0};
    size_t i;
    json_t *aspect;
    head_tell(difference, korean, &out);
    plain_tell(difference, korean, &out);
    json_array_foreach(json_object_get(difference, "aspects"), i, aspect) aspect_tell(aspect, korean, &out);
    foot_tell(difference, korean, &out);
    output_safe(call->out, out.s);
}

/* ---- the command ---- */

static int diff_print(struct call *call, const struct policy *before, const struct policy *after) {
    bool korean = strcmp(call->format, "json") != 0 && strcmp(call->lang, "ko") == 0;
    scoped_json json_t *difference = policy_differ(before, after, korean);
    bool same = json_is_true(json_object_get(difference, "same"));
    if (strcmp(call->format, "json") == 0) {
        scoped_free char *text = json_canonical(difference);
        fprintf(call->out, "%s\n", text);
    } else if (!call->quiet && !same) {
        difference_tell(call, difference, korean);
    }
    return same ? 0 : ERR_FAILED;
}

static int diff_run(struct call *call, struct err *e) {
    struct policy *before = policy_need(call, call->arguments[0], e);
    struct policy *after = before ? policy_need(call, call->arguments[1], e) : NULL;
    int status = after ? diff_print(call, before, after) : -1;
    policy_free(before);
    policy_free(after);
    /* As diff(1): 1 says that they differ, so what keeps them from being compared is 2 or more. */
    if (status < 0 && e->code == ERR_FAILED) e->code = ERR_USAGE;
    return status;
}

const struct command policy_diff_commands[] = {
    {.words = "policy diff",
     .arguments = "FILE FILE",
     .least = 2,
     .most = 2,
     .summary = "say what two policies decide differently, and for whom",
     .flags = COMMAND_NO_STORE | COMMAND_SHOWS,
     .role = ROLE_NONE,
     .options = NULL,
     .run = diff_run},
    {.words = NULL}};
