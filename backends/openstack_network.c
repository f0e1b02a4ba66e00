/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The network for a tenant's servers: one that is there, or one of its own (a /24 of the range, and a
 * security group that lets its servers reach each other), made once in its project and left there: the
 * project is the tenant's.
 */
#include "backends/openstack.h"

#include "alloc/scope.h"
#include "backends/range.h"

#include <stdlib.h>
#include <string.h>

static const char *member(const json_t *thing, const char *key) {
    return json_string_value(json_object_get(thing, key));
}

/* ---- looking one up by its name ---- */

struct look {
    const char *name, *project;
    bool may_be_shared;
    json_t *found;
};

/* An administrator is shown the networks of all projects. */
static int look_one(void *arg, const json_t *thing, struct err *e) {
    (void)e;
    struct look *l = arg;
    const char *name = member(thing, "name"), *id = member(thing, "id"), *of = member(thing, "tenant_id");
    bool named = (name && strcmp(name, l->name) == 0) || (id && strcmp(id, l->name) == 0);
    bool own = !of || strcmp(of, l->project) == 0;
    bool shared = l->may_be_shared && json_is_true(json_object_get(thing, "shared"));
    if (!l->found && named && (own || shared)) l->found = json_incref((json_t *)thing);
    return 0;
}

static json_t *look(struct project *p, const struct listing *l, const char *name, bool may_be_shared,
                    struct err *e) {
    struct look look = {.name = name, .project = p->host->uri, .may_be_shared = may_be_shared};
    if (list_each(p, l, NULL, look_one, &look, e) < 0) e->code = ERR_RETRY;
    return look.found;
}

/* Finds it, or makes it. The answer to a create that was lost: it may be there. A new reference. */
static json_t *look_or_make(struct project *p, const struct listing *l, const char *name, const char *one,
                            json_t *body, struct err *e) {
    json_t *made scoped_json = body, *answer scoped_json = NULL;
    json_t *found = look(p, l, name, false, e);
    if (found || err_is(e)) return found;
    if (call_post(p, l->service, l->path, made, &answer, e) == 0) {
        if (run_fault("openstack.network-made", e) < 0) return NULL;
        found = json_incref(json_object_get(answer, one));
        if (!found) err_set(e, ERR_RETRY, "the answer to %s has no \"%s\"", l->path, one);
        return found;
    }
    if (e->code != ERR_UNKNOWN) return NULL;
    struct err own = {0};
    found = look(p, l, name, false, &own);
    if (found) return err_clear(e), found;
    e->code = ERR_RETRY; /* of the server that wants it nothing happened */
    return NULL;
}

/* ---- its parts ---- */

static json_t *network_body(const struct network_words *w, const char *name, const char *subnet) {
    json_t *network = json_pack("{s:s}", "name", name);
    char range[24];
    if (w->range && text_format(range, sizeof range, "%s.0/24", subnet) == 0)
        json_object_set_new(network, w->range, json_string(range));
    return json_pack("{s:o}", w->one, network);
}

static json_t *subnet_body(const struct network_words *w, const char *name, const char *network,
                           const char *subnet) {
    char range[24];
    if (text_format(range, sizeof range, "%s.0/24", subnet) < 0) return NULL;
    json_t *body = json_pack("{s:s, s:s, s:s}", "name", name, w->sub_network, network, "cidr", range);
    if (w->needs_ip_version) json_object_set_new(body, "ip_version", json_integer(4));
    return json_pack("{s:o}", w->sub_one, body);
}

static bool rule_is_there(const json_t *group, const json_t *rule) {
    size_t i;
    json_t *has;
    json_array_foreach(json_object_get(group, "security_group_rules"), i, has) {
        bool same = true;
        const char *key;
        json_t *value;
        json_object_foreach((json_t *)rule, key, value) {
            same &= json_equal(json_object_get(has, key), value) || strcmp(key, "security_group_id") == 0;
        }
        if (same) return true;
    }
    return false;
}

static int rule_ensure(struct project *p, const json_t *group, json_t *rule, struct err *e) {
    json_t *kept scoped_json = rule;
    if (rule_is_there(group, kept)) return 0;
    json_t *body scoped_json = json_pack("{s:O}", "security_group_rule", kept);
    int rc = call_post(p, "network", "/v2.0/security-group-rules", body, NULL, e);
    if (rc < 0 && e->code == ERR_UNKNOWN) e->code = ERR_RETRY;
    return rc;
}

static int group_ensure(struct project *p, const char *name, struct err *e) {
    static const struct listing groups = {
        "network", "/v2.0/security-groups", "security_groups", PAGES_NONE, false, NULL};
    const char *ssh_from = p->run->settings.ssh_from;
    json_t *body = json_pack("{s:{s:s, s:s}}", "security_group", "name", name, "description",
                             "allot: servers of one tenant reach each other");
    json_t *group scoped_json = look_or_make(p, &groups, name, "security_group", body, e);
    const char *id = member(group, "id");
    if (!id) return -1;
    json_t *among = json_pack("{s:s, s:s, s:s, s:s}", "security_group_id", id, "direction", "ingress",
                              "ethertype", "IPv4", "remote_group_id", id);
    if (rule_ensure(p, group, among, e) < 0) return -1;
    if (ssh_from) {
        json_t *ssh = json_pack("{s:s, s:s, s:s, s:s, s:i, s:i, s:s}", "security_group_id", id, "direction",
                                "ingress", "ethertype", "IPv4", "protocol", "tcp", "port_range_min", 22,
                                "port_range_max", 22, "remote_ip_prefix", ssh_from);
        if (rule_ensure(p, group, ssh, e) < 0) return -1;
    }
    p->group = mem_copy(name);
    return 0;
}

static int own_network(struct project *p, const struct backend_operation *op, struct err *e) {
    const struct network_words *w = &p->run->settings.dialect->network;
    const struct listing networks = {"network", w->path, w->list, PAGES_NONE, false, NULL},
                         subnets = {"network", w->sub_path, w->sub_list, PAGES_NONE, false, NULL};
    char name[96], subnet[16];
    if (text_format(name, sizeof name, "allot-%s-t%lld%s", p->run->pool->store_id,
                    (long long)op->tenant_number, op->tenant_branch ? op->tenant_branch : "") < 0 ||
        range_subnet(p->run->settings.network_range, op->tenant_number, subnet, e) < 0)
        return err_set(e, ERR_FAILED, "tenant %lld has no name for a network", (long long)op->tenant_number);
    json_t *network scoped_json = look_or_make(p, &networks, name, w->one, network_body(w, name, subnet), e);
    const char *id = member(network, "id");
    if (!id) return -1;
    json_t *sub scoped_json =
        look_or_make(p, &subnets, name, w->sub_one, subnet_body(w, name, id, subnet), e);
    if (!sub || group_ensure(p, name, e) < 0) return -1;
    p->network = mem_copy(id);
    return 0;
}

static int named_network(struct project *p, struct err *e) {
    const struct network_words *w = &p->run->settings.dialect->network;
    const struct listing networks = {"network", w->path, w->list, PAGES_NONE, false, NULL};
    const char *name = p->run->settings.network;
    if (is_uuid(name)) return p->network = mem_copy(name), 0;
    json_t *network scoped_json = look(p, &networks, name, true, e);
    const char *id = member(network, "id");
    if (!id && err_is(e)) return -1;
    if (!id)
        return err_set(e, ERR_FAILED, "project %s has no network \"%s\" of its own or shared", p->host->name,
                       name);
    p->network = mem_copy(id);
    return 0;
}

int network_ensure(struct project *p, const struct backend_operation *op, struct err *e) {
    int rc = 0;
    pthread_mutex_lock(&p->lock);
    if (!p->network) rc = p->run->settings.network ? named_network(p, e) : own_network(p, op, e);
    pthread_mutex_unlock(&p->lock);
    return rc;
}

struct subnet_look {
    const char *key, *network;
    json_t *found;
};

static int subnet_one(void *arg, const json_t *thing, struct err *e) {
    (void)e;
    struct subnet_look *l = arg;
    const char *of = member(thing, l->key);
    if (!l->found && of && strcmp(of, l->network) == 0 && member(thing, "id") && member(thing, "cidr"))
        l->found = json_incref((json_t *)thing);
    return 0;
}

json_t *subnet_look(struct project *p, struct err *e) {
    const struct network_words *w = &p->run->settings.dialect->network;
    const struct listing subnets = {"network", w->sub_path, w->sub_list, PAGES_NONE, false, NULL};
    struct subnet_look l = {.key = w->sub_network, .network = p->network};
    if (list_each(p, &subnets, NULL, subnet_one, &l, e) < 0)
        e->code = ERR_RETRY;
    else if (!l.found)
        err_set(e, ERR_FAILED, "the network of project %s has no subnet", p->host->name);
    return l.found;
}
