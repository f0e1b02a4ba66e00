/* SPDX-License-Identifier: Apache-2.0 */
#include "backends/simulated.h"

#include "alloc/scope.h"
#include "alloc/text.h"

#include <fnmatch.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const simulated_attaches[] = {"none", "pci", "mdev", "vf", "vcpu", NULL};

int simulated_flavor_read(const struct simulated *s, const char *name, struct simulated_flavor *out,
                          struct err *e) {
    static const char *const keys[] = {"units_per_host", "attach", NULL};
    struct json_at at = json_member(&s->flavors, name);
    *out = (struct simulated_flavor){0};
    if (json_only(&at, keys, e) < 0 ||
        json_need_int(&at, "units_per_host", 0, 1000000, &out->units_per_host, e) < 0)
        return -1;
    return json_may_word(&at, "attach", simulated_attaches, &out->attach, e);
}

static int patterns_read(const struct json_at *settings, const char *key, struct json_at *out,
                         struct err *e) {
    if (json_may_array(settings, key, 10000, out, e) < 0) return -1;
    for (size_t i = 0; i < json_length(out); i++) {
        struct json_at item = json_item(out, i);
        const char *pattern;
        if (json_as_text(&item, 255, &pattern, e) < 0) return -1;
    }
    return 0;
}

/* Notes what is wrong and goes on: all of it is told at once. */
static void also(struct err *e, int rc, struct err *own) {
    size_t length = strlen(e->what);
    if (rc == 0) return;
    if (!err_is(e))
        *e = *own;
    else /* what is too long for the message is cut, and told when the rest is mended */
        snprintf(e->what + length, sizeof e->what - length, "; %s", own->what);
    err_clear(own);
}

static void flavors_read(struct simulated *s, struct err *e) {
    struct err own = {0};
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)s->flavors.value, name, value) {
        struct simulated_flavor f;
        also(e, simulated_flavor_read(s, name, &f, &own), &own);
    }
}

static void ways_read(struct simulated *s, struct err *e) {
    static const char *const ways[] = {"instance", "quota", NULL};
    struct err own = {0};
    size_t way = 0;
    s->holds_containers = true;
    also(e, json_may_bool(&s->settings, "projects", &s->has_projects, &own), &own);
    also(e, json_may_bool(&s->settings, "containers", &s->has_containers, &own), &own);
    also(e, json_may_bool(&s->settings, "hold_containers", &s->holds_containers, &own), &own);
    also(e, json_may_word(&s->settings, "deliver", ways, &way, &own), &own);
    s->by_quota = way == 1;
}

int simulated_settings_read(const struct backend_pool *pool, struct simulated *s, struct err *e) {
    static const char *const keys[] = {"file",
                                       "flavors",
                                       "storage_bytes_per_host",
                                       "fail_names",
                                       "lose_answers",
                                       "slow",
                                       "dead_hosts",
                                       "projects",
                                       "containers",
                                       "hold_containers",
                                       "deliver",
                                       "slow_calls",
                                       NULL};
    struct err own = {0}, all = {0};
    *s = (struct simulated){.wrapper = json_pack("{s:O?}", "settings", (json_t *)pool->settings)};
    if (text_format(s->title, sizeof s->title, "pool %s", pool->name) < 0)
        return err_set(e, ERR_USAGE, "the name of the pool is too long");
    s->root = json_root(s->wrapper, s->title);
    if (json_need_object(&s->root, "settings", &s->settings, e) < 0) return -1;
    also(&all, json_only(&s->settings, keys, &own), &own);
    also(&all, json_need_text(&s->settings, "file", 4000, &s->file, &own), &own);
    also(&all, json_may_object(&s->settings, "flavors", &s->flavors, &own), &own);
    flavors_read(s, &all);
    also(&all, json_may_bytes(&s->settings, "storage_bytes_per_host", &s->storage, &own), &own);
    also(&all, patterns_read(&s->settings, "fail_names", &s->fail_names, &own), &own);
    also(&all, patterns_read(&s->settings, "lose_answers", &s->lose_answers, &own), &own);
    also(&all, patterns_read(&s->settings, "slow", &s->slow, &own), &own);
    also(&all, patterns_read(&s->settings, "dead_hosts", &s->dead_hosts, &own), &own);
    also(&all, json_may_int(&s->settings, "slow_calls", 1, 1000, &s->slow_calls, &own), &own);
    ways_read(s, &all);
    s->has_storage = json_has(&s->settings, "storage_bytes_per_host");
    if (!err_is(&all)) return 0;
    if (!err_is(e)) *e = all;
    return -1;
}

void simulated_settings_drop(struct simulated *s) { json_decref(s->wrapper); }

bool simulated_matches(const struct json_at *patterns, const char *name) {
    size_t i;
    json_t *pattern;
    json_array_foreach(patterns->value, i, pattern) {
        if (fnmatch(json_string_value(pattern), name, 0) == 0) return true;
    }
    return false;
}

void simulated_answer(struct backend_operation *op, enum backend_answer a, const char *format, ...) {
    char words[1024];
    op->answer = a;
    if (!format) return;
    va_list args;
    va_start(args, format);
    vsnprintf(words, sizeof words, format, args);
    va_end(args);
    free(op->detail);
    op->detail = mem_copy(words);
}
