/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Everything in the tenants' projects, each list once. Requests grow with the pages of the lists; only a
 * container of ours costs one more, because Swift's list does not say what it may hold, and a NAS volume one
 * for what is really stored.
 */
#include "backends/openstack.h"

#include "alloc/scope.h"
#include "backends/openstack_usage.h"

#include <stdlib.h>
#include <string.h>

struct seeing {
    struct project *p;
    struct backend_view *view;
    const struct volume_means *means;
    json_t *servers; /* id -> true: ours; their root volumes are parts of them */
};

static const char *member(const json_t *thing, const char *key) {
    const char *text = json_string_value(json_object_get(thing, key));
    return text ? text : "";
}

static instant_t time_of(const json_t *thing, const char *key) {
    instant_t t;
    return cloud_time(member(thing, key), &t) ? t : instant(0);
}

static struct backend_seen *add(struct seeing *s, enum backend_kind kind, const json_t *thing) {
    struct backend_view *v = s->view;
    if ((v->n_seen & (v->n_seen - 1)) == 0) {
        size_t room = v->n_seen;
        v->seen = mem_grow(v->seen, &room, v->n_seen ? 2 * v->n_seen : 1, sizeof *v->seen);
    }
    struct backend_seen *seen = &v->seen[v->n_seen++];
    const char *name = member(thing, "name");
    *seen = (struct backend_seen){.token = mem_copy(ours_token(thing)),
                                  .kind = kind,
                                  .name = mem_copy(*name ? name : member(thing, "id")),
                                  .host = mem_copy(s->p->host->name),
                                  .state = SEEN_PRESENT};
    return seen;
}

static int see_server(void *arg, const json_t *server, struct err *e) {
    (void)e;
    struct seeing *s = arg;
    struct backend_seen *seen = add(s, BACKEND_SERVER, server);
    if (seen->token) json_object_set_new(s->servers, member(server, "id"), json_true());
    seen->state = server_progress(server) == SERVER_AT_WORK ? SEEN_STARTING : server_state(server);
    seen->created = time_of(server, "created");
    seen->connection = server_connection(s->p, server);
    return 0;
}

/* The root disk of a server of ours, made with it and gone with it. */
static bool is_root(const struct seeing *s, const json_t *volume) {
    const json_t *first = json_array_get(json_object_get(volume, "attachments"), 0);
    return !ours_token(volume) && json_object_get(s->servers, member(first, "server_id"));
}

static int see_stored(struct seeing *s, const json_t *volume, struct backend_seen *seen, struct err *e) {
    struct text path scoped_text = {0};
    json_t *answer scoped_json = NULL;
    text_add(&path, "%s/%s/usage", s->means->path, member(volume, "id"));
    if (call_get(s->p, s->means->service, path.s, &answer, e) < 0) return -1;
    int64_t gb = json_integer_value(json_object_get(json_object_get(answer, "usage"), "usedGb"));
    seen->allocated = bytes(gb > 0 && gb < BYTES_MOST / 1000000000 ? gb * 1000000000 : 0);
    return 0;
}

static int see_volume(void *arg, const json_t *volume, struct err *e) {
    struct seeing *s = arg;
    if (is_root(s, volume)) return 0;
    struct backend_seen *seen = add(s, BACKEND_VOLUME, volume);
    const char *word = s->means->trouble(volume);
    seen->bytes = s->means->size(volume);
    seen->state = !*word ? SEEN_PRESENT : strcmp(word, "wait") == 0 ? SEEN_STARTING : SEEN_FAILED;
    seen->created = time_of(volume, s->means->created);
    seen->connection = json_pack("{s:s, s:s, s:s}", "host", s->p->host->name, "id", member(volume, "id"),
                                 "status", member(volume, "status"));
    s->means->connect(volume, seen->connection);
    ours_owner(volume, seen->connection);
    return s->means == &volume_files && seen->token ? see_stored(s, volume, seen, e) : 0;
}

static int see_own_container(struct seeing *s, const json_t *row, const char *token,
                             const struct container_facts *facts) {
    struct backend_seen *seen = add(s, BACKEND_CONTAINER, row);
    const char *container = member(row, "name");
    seen->token = mem_copy(token);
    seen->name[strlen(container) - strlen(token) - 2] = '\0';
    seen->bytes = facts->may_hold;
    seen->allocated = facts->holds;
    seen->created = facts->created;
    seen->state = facts->is_frozen ? SEEN_PAUSED : SEEN_PRESENT;
    seen->connection = json_pack("{s:s, s:s, s:s*, s:s*}", "host", s->p->host->name, "container", container,
                                 "tenant", facts->tenant, "grant", facts->grant);
    return 0;
}

static int see_container(void *arg, const json_t *row, struct err *e) {
    struct seeing *s = arg;
    const char *container = member(row, "name"), *token = container_token(container);
    struct container_facts facts;
    if (!token) {
        add(s, BACKEND_CONTAINER, row)->allocated = bytes(json_integer_value(json_object_get(row, "bytes")));
        return 0;
    }
    int rc = container_look(s->p, container, &facts, e);
    if (rc == 0 && facts.is_there) rc = see_own_container(s, row, token, &facts); /* else it has just gone */
    container_facts_free(&facts);
    return rc;
}

int project_observe(struct project *p, struct backend_view *out, struct err *e) {
    static const struct listing containers = {"object-store", "", NULL, PAGES_BY_MARKER, false, NULL};
    const struct settings *settings = &p->run->settings;
    const struct dialect *d = settings->dialect;
    json_t *servers scoped_json = json_object();
    struct seeing s = {.p = p, .view = out, .means = &volume_block, .servers = servers};
    if (list_each(p, &d->servers, NULL, see_server, &s, e) < 0 ||
        list_each(p, &d->volumes, NULL, see_volume, &s, e) < 0)
        return -1;
    s.means = &volume_files;
    if (settings->storage == STORAGE_NAS && list_each(p, &d->files, NULL, see_volume, &s, e) < 0) return -1;
    if (settings->object_store == OBJECTS_NONE) return 0;
    return list_each(p, &containers, "format=json", see_container, &s, e);
}
