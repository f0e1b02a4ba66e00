/* SPDX-License-Identifier: Apache-2.0 */
/* backend check --for: which limits of which projects the requests of a file would break. */
#include "cmd/backend.h"

#include "alloc/request.h"
#include "alloc/scope.h"
#include "alloc/text.h"
#include "cmd/output.h"
#include "cmd/request.h"
#include "policies/ladder.h"

#include <stdlib.h>
#include <string.h>

enum { RESOURCES = 8 }; /* backend_resources[] */
enum { VCPUS, MEMORY, SERVERS, VOLUME_GIB, VOLUMES, VOLUME_EACH, NAS_GB, NAS_VOLUMES };

/* What one tenant asks for in the whole file. */
struct need {
    char *tenant, *project, *uri; /* project NULL: no project is free */
    int64_t of[RESOURCES];
};

struct needs {
    const struct backend_place *at;
    const struct backend_probe *probe;
    struct need *list;
    size_t n;
    bool is_nas;
};

static struct need *need_of(struct needs *all, const char *tenant) {
    for (size_t i = 0; i < all->n; i++)
        if (strcmp(all->list[i].tenant, tenant) == 0) return &all->list[i];
    all->list = mem_one_more(all->list, all->n, sizeof *all->list);
    all->list[all->n] = (struct need){.tenant = mem_copy(tenant)};
    return &all->list[all->n++];
}

static int add(struct need *need, size_t resource, int64_t each, int64_t times, struct err *e) {
    int64_t more;
    if (amount_times(each, times, &more, backend_resources[resource], e) < 0) return -1;
    return amount_add(need->of[resource], more, &need->of[resource], backend_resources[resource], e);
}

/* ---- compute ---- */

static const struct pool_flavor *flavor_of(const struct pool_spec *spec, const struct request_new *r,
                                           struct err *e) {
    for (size_t i = 0; i < spec->n_flavors; i++)
        if (!r->flavor || strcmp(spec->flavors[i].name, r->flavor) == 0) return &spec->flavors[i];
    err_set(e, ERR_USAGE, "pool %s has no flavor %s", spec->name, r->flavor ? r->flavor : "at all");
    return NULL;
}

static int size_add(struct needs *all, struct need *need, const char *flavor, int64_t units, int64_t times,
                    struct err *e) {
    for (size_t i = 0; i < all->probe->n_sizes; i++) {
        const struct backend_size *z = &all->probe->sizes[i];
        if (z->units != units || strcmp(z->flavor, flavor) != 0) continue;
        if (add(need, VCPUS, z->vcpus, times, e) < 0 || add(need, MEMORY, z->memory_mib, times, e) < 0 ||
            add(need, SERVERS, 1, times, e) < 0 || add(need, VOLUME_GIB, z->root_gib, times, e) < 0)
            return -1;
        return z->root_gib ? add(need, VOLUMES, 1, times, e) : 0;
    }
    return err_set(e, ERR_NOT_FOUND, "the cloud has no size for %s x %lld", flavor, (long long)units);
}

static int compute_add(struct needs *all, struct need *need, const struct request_new *r, struct err *e) {
    if (r->ask == ASK_NONE) return 0;
    const struct pool_flavor *f = flavor_of(&all->at->place.spec, r, e);
    if (!f) return -1;
    if (r->ask == ASK_COMPUTE && f->rating.n < 1)
        return err_set(e, ERR_USAGE, "flavor %s has no rating: ask for units", f->name);
    int64_t units = r->ask == ASK_UNITS ? r->units.n : r->compute.n / f->rating.n, count[LADDER_SIZES];
    struct ladder ladder;
    ladder_begin(&ladder, r->per_server ? &r->per_server : f->sizes, r->per_server ? 1 : f->n_sizes);
    ladder_cover(&ladder, ladder_down(&ladder, units), count);
    int rc = 0;
    for (size_t i = 0; i < ladder.n_sizes && rc == 0; i++)
        if (count[i]) rc = size_add(all, need, f->name, ladder.sizes[i], count[i], e);
    ladder_end(&ladder);
    return rc;
}

/* ---- storage ---- */

static int64_t rounded_up(int64_t amount, int64_t step) { return amount / step + (amount % step != 0); }

static int storage_add(struct needs *all, struct need *need, const struct request_new *r, struct err *e) {
    const struct pool_spec *spec = &all->at->place.spec;
    int64_t unit = all->is_nas ? 1000000000 : INT64_C(1) << 30;
    int64_t most = spec->volume_most.n ? spec->volume_most.n : larger(r->storage.n, 1);
    if (r->storage.n == 0) return 0;
    if (add(need, all->is_nas ? NAS_GB : VOLUME_GIB, rounded_up(r->storage.n, unit), 1, e) < 0 ||
        add(need, all->is_nas ? NAS_VOLUMES : VOLUMES, rounded_up(r->storage.n, most), 1, e) < 0)
        return -1;
    if (!all->is_nas)
        need->of[VOLUME_EACH] = larger(need->of[VOLUME_EACH], rounded_up(smaller(r->storage.n, most), unit));
    return 0;
}

/* ---- the file ---- */

static int one_add(struct needs *all, const struct json_at *at, struct err *e) {
    struct request_new r = {0};
    if (request_decode(at, NULL, &r, e) < 0 || request_check(&r, e) < 0) return -1;
    if (r.pool && strcmp(r.pool, all->at->place.spec.name) != 0) return 0; /* another pool's */
    if (!r.tenant || !*r.tenant) return err_set(e, ERR_USAGE, "names no tenant");
    struct need *need = need_of(all, r.tenant);
    return compute_add(all, need, &r, e) < 0 ? -1 : storage_add(all, need, &r, e);
}

static int file_read_needs(struct needs *all, const char *path, struct err *e) {
    scoped_json json_t *lines = json_array(), *documents = request_documents(path, lines, e);
    if (!documents) return -1;
    struct json_at root = json_root(documents, path);
    for (size_t i = 0; i < json_array_size(documents); i++) {
        struct json_at at = json_item(&root, i);
        long long line = json_integer_value(json_array_get(lines, i));
        if (one_add(all, &at, e) == 0) continue;
        return line ? err_context(e, "%s:%lld", path, line) : err_context(e, "%s: request %zu", path, i + 1);
    }
    return 0;
}

/* ---- projects ---- */

/* A tenant keeps its project; a new one takes the next that is free, in their order. */
static int projects_bind(struct call *call, struct needs *all, struct err *e) {
    struct rows r;
    int rc = rows_open(
        &r, call->store, e,
        "SELECT h.name, h.uri, t.name FROM host h LEFT JOIN tenant t ON t.id = h.tenant WHERE h.pool = "
        "$1 AND h.state = 'active' ORDER BY h.tenant IS NULL, h.name",
        "i", all->at->pool);
    size_t next = 0;
    while (rc == 0 && (rc = rows_next(&r, e)) == 1) {
        struct need *to = NULL;
        const char *tenant = rows_text(&r, 2);
        bool is_bound = tenant && *tenant;
        for (size_t i = 0; is_bound && i < all->n && !to; i++)
            if (strcmp(all->list[i].tenant, tenant) == 0) to = &all->list[i];
        while (!is_bound && next < all->n && all->list[next].project) next++;
        if (!is_bound && next < all->n) to = &all->list[next];
        rc = 0;
        if (!to || to->project) continue;
        to->project = mem_copy(rows_text(&r, 0));
        to->uri = mem_copy(rows_text(&r, 1));
    }
    rows_close(&r);
    return rc;
}

/* ---- told ---- */

static const char *resource_title(const struct call *call, size_t resource) {
    static const char *const en[] = {"vCPUs",   "memory (MB)",     "servers",  "block storage (GB)",
                                     "volumes", "one volume (GB)", "NAS (GB)", "NAS volumes"};
    static const char *const ko[] = {"vCPU",    "메모리(MB)",    "서버 수", "블록 스토리지(GB)",
                                     "볼륨 수", "볼륨 하나(GB)", "NAS(GB)", "NAS 볼륨 수"};
    return output_choose(call, en[resource], ko[resource]);
}

static const struct backend_quota_limit *limit_of(const struct backend_probe *p, const char *project,
                                                  size_t resource) {
    for (size_t i = 0; i < p->n_limits; i++)
        if (text_same(p->limits[i].host, project) &&
            strcmp(p->limits[i].resource, backend_resources[resource]) == 0)
            return &p->limits[i];
    return NULL;
}

static void resource_told(struct call *call, const struct needs *all, const struct need *need,
                          size_t resource, json_t *rows, struct text *raises) {
    const struct backend_quota_limit *l = limit_of(all->probe, need->project, resource);
    json_t *row = json_pack("{s:s, s:s, s:s, s:I}", "project", need->project ? need->project : "", "tenant",
                            need->tenant, "resource", backend_resources[resource], "needed",
                            (json_int_t)need->of[resource]);
    json_array_append_new(rows, row);
    if (!l) return;
    int64_t used = resource == VOLUME_EACH ? 0 : l->used;
    int64_t want = need->of[resource] > INT64_MAX - used ? INT64_MAX : need->of[resource] + used;
    json_object_set_new(row, "used", json_integer(used));
    json_object_set_new(row, "limit_read", json_boolean(l->was_read));
    if (l->unlimited) return;
    json_object_set_new(row, "limit", json_integer(l->limit));
    if (want <= l->limit) return;
    json_object_set_new(row, "raise_to", json_integer(want));
    text_add(raises, output_choose(call, "%s%s from %lld to %lld", "%s%s %lld -> %lld"),
             raises->s ? ", " : "", resource_title(call, resource), (long long)l->limit, (long long)want);
}

static void tell(struct call *call, const struct needs *all, json_t *rows, struct text *ticket) {
    for (size_t i = 0; i < all->n; i++) {
        const struct need *need = &all->list[i];
        struct text raises = {0};
        for (size_t k = 0; k < RESOURCES; k++)
            if (need->of[k]) resource_told(call, all, need, k, rows, &raises);
        if (raises.s && !ticket->s)
            text_add(ticket, "%s",
                     output_choose(call, "Please raise these limits:", "다음 한도를 올려 주시기 바랍니다:"));
        if (raises.s)
            text_add(ticket, output_choose(call, "\n- project %s (%s): %s", "\n- 프로젝트 %s(%s): %s"),
                     need->project ? need->project : "?", need->uri ? need->uri : "?", raises.s);
        text_free(&raises);
    }
}

static void needs_free(struct needs *all) {
    for (size_t i = 0; i < all->n; i++) {
        free(all->list[i].tenant);
        free(all->list[i].project);
        free(all->list[i].uri);
    }
    free(all->list);
}

int backend_needs(struct call *call, const struct backend_place *at, const struct backend_probe *probe,
                  const char *path, json_t **rows, char **ticket, struct err *e) {
    const char *storage = json_string_value(json_object_get(at->place.spec.settings, "storage"));
    struct needs all = {.at = at, .probe = probe, .is_nas = storage && strcmp(storage, "nas") == 0};
    int rc = file_read_needs(&all, path, e);
    if (rc == 0) rc = projects_bind(call, &all, e);
    if (rc == 0) {
        struct text words = {0};
        *rows = json_array();
        tell(call, &all, *rows, &words);
        *ticket = words.s ? text_take(&words) : NULL;
    }
    needs_free(&all);
    return rc;
}
