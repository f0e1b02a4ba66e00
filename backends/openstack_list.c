/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lists, page by page: by marker (the id, or the name, of the last thing) or by number. A page that ends
 * with the thing that the one before ended with would go on for ever and is an error.
 */
#include "backends/openstack.h"

#include "alloc/scope.h"

#include <stdlib.h>
#include <string.h>

struct pages {
    const struct listing *listing;
    const char *filter;
    int64_t limit, number;
    int64_t seen, total; /* by number: things so far; how many there are */
    char *marker;        /* NULL: the first page */
};

static const char *member(const json_t *thing, const char *key) {
    return json_string_value(json_object_get(thing, key));
}

static char *page_path(const struct pages *g) {
    struct text t = {0};
    text_add(&t, "%s", g->listing->path);
    if (g->filter) text_add(&t, "?%s", g->filter);
    const char *and = g->filter ? "&" : "?";
    if (g->listing->form != PAGES_NONE) text_add(&t, "%slimit=%lld", and, (long long)g->limit);
    if (g->listing->form == PAGES_BY_NUMBER) text_add(&t, "&page=%lld", (long long)g->number);
    if (g->marker) {
        char *escaped scoped_free = call_escape(g->marker);
        text_add(&t, "&marker=%s", escaped);
    }
    return text_take(&t);
}

static bool links_next(const json_t *answer, const char *key) {
    char name[80];
    size_t i;
    json_t *link;
    if (text_format(name, sizeof name, "%s_links", key) < 0) return false;
    json_array_foreach(json_object_get(answer, name), i, link) {
        const char *rel = member(link, "rel");
        if (rel && strcmp(rel, "next") == 0) return true;
    }
    return false;
}

/* By number, things that come and go meanwhile shift the pages: the answer's count tells. */
static int number_next(struct pages *g, const json_t *answer, int64_t n, struct err *e) {
    const json_t *count = json_object_get(json_object_get(answer, "paging"), "totalCount");
    int64_t total = json_integer_value(count);
    bool same = json_is_integer(count) && (g->number == 1 || total == g->total);
    g->seen += n;
    g->total = total;
    if (!same || g->seen > total || (n == 0 && g->seen < total))
        return err_set(e, ERR_RETRY, "the pages of %s do not add up: %lld things, paging.totalCount %s",
                       g->listing->path, (long long)g->seen,
                       !json_is_integer(count) ? "is not there"
                       : same                  ? "is another"
                                               : "has changed");
    g->number++;
    return g->seen < total;
}

/* 1: there may be more, and *g asks for it; 0: it was the last. */
static int page_next(struct pages *g, const json_t *answer, const json_t *things, struct err *e) {
    const struct listing *l = g->listing;
    size_t n = json_array_size(things);
    if (l->form == PAGES_BY_NUMBER) return number_next(g, answer, (int64_t)n, e);
    if (n == 0 || l->form == PAGES_NONE) return 0;
    bool more = l->has_links ? links_next(answer, l->key) : (int64_t)n >= g->limit;
    if (!more) return 0;
    const char *last = member(json_array_get(things, n - 1), l->key ? "id" : "name");
    if (!last || (g->marker && strcmp(g->marker, last) == 0))
        return err_set(e, ERR_RETRY, "the pages of %s do not go on after %s", l->path,
                       g->marker ? g->marker : "the first");
    char *marker = mem_copy(last);
    free(g->marker);
    g->marker = marker;
    return 1;
}

/* An empty list of Swift may have no body at all. What is absent has an empty list too, but not half-way. */
static int ask(struct project *p, const struct pages *g, const char *path, json_t **out, struct err *e) {
    const struct listing *l = g->listing;
    struct http_request r = {
        .method = HTTP_GET, .url = path, .may_be_absent = true, .needs_json = l->key != NULL};
    struct http_answer answer;
    int rc = project_call(p, l->service, &r, &answer, e);
    bool absent = rc == 0 && answer.status >= 400;
    if (absent && g->marker)
        rc = err_set(e, ERR_RETRY, "%s went away between two pages", l->path);
    else if (rc == 0 && !absent && !answer.json && answer.status != 204 && answer.length > 0)
        rc = err_set(e, ERR_RETRY, "the answer to %s is no list", l->path);
    *out = rc == 0 && !absent ? json_incref(answer.json) : NULL;
    http_answer_free(&answer);
    return rc;
}

static int page(struct project *p, struct pages *g, int (*one)(void *, const json_t *, struct err *),
                void *arg, struct err *e) {
    char *path scoped_free = page_path(g);
    json_t *answer scoped_json = NULL;
    if (ask(p, g, path, &answer, e) < 0) return -1;
    const json_t *things = g->listing->key ? json_object_get(answer, g->listing->key) : answer;
    if (!json_is_array(things)) {
        if (!answer && !g->listing->key) return 0; /* nothing: an account or container that is not there */
        return err_set(e, ERR_RETRY, "the answer to %s has no list \"%s\"", g->listing->path,
                       g->listing->key ? g->listing->key : "");
    }
    size_t i;
    json_t *thing;
    json_array_foreach(things, i, thing) {
        if (g->listing->normal) g->listing->normal(thing);
        int rc = one(arg, thing, e);
        if (rc != 0) return rc < 0 ? -1 : 0;
    }
    return page_next(g, answer, things, e);
}

int list_each(struct project *p, const struct listing *l, const char *filter,
              int (*one)(void *arg, const json_t *thing, struct err *e), void *arg, struct err *e) {
    struct pages g = {.listing = l, .filter = filter, .limit = p->run->settings.page_things, .number = 1};
    int rc;
    while ((rc = page(p, &g, one, arg, e)) == 1) continue;
    free(g.marker);
    return rc;
}

/* ---- one by its name ---- */

struct finding {
    const char *key, *name;
    json_t *found;
    char *names[256];
    size_t n;
};

static int find_one(void *arg, const json_t *thing, struct err *e) {
    (void)e;
    struct finding *f = arg;
    const char *name = member(thing, f->key), *id = member(thing, "id");
    bool same = (name && strcmp(name, f->name) == 0) || (id && strcmp(id, f->name) == 0);
    if (same && !f->found) f->found = json_incref((json_t *)thing);
    if (name && f->n < sizeof f->names / sizeof *f->names) f->names[f->n++] = mem_copy(name);
    return 0;
}

json_t *list_find(struct project *p, const struct listing *l, const char *key, const char *name,
                  const char *what, struct err *e) {
    struct finding f = {.key = key, .name = name};
    int rc = list_each(p, l, NULL, find_one, &f, e);
    if (rc == 0 && !f.found) {
        err_set(e, ERR_NOT_FOUND, "the cloud has no %s \"%s\" for project %s", what, name, p->host->name);
        const char *near = text_nearest(name, (const char *const *)f.names, f.n);
        if (near) err_hint(e, "did you mean \"%s\"?", near);
    }
    for (size_t i = 0; i < f.n; i++) free(f.names[i]);
    return f.found;
}
