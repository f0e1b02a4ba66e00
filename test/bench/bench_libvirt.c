/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench_libvirt URI POOL N : N servers with a volume and a tenant's network each, made and removed by the
 * libvirt backend and by a bare program that makes the same libvirt calls with the same number of threads on
 * one connection. Both in turn, ROUNDS times, because a shared machine drifts; the medians and their ratio
 * are printed. The storage pool must stand. Exit 1: the ratio is above the limit of 1.3.
 */
#include "alloc/clock.h"
#include "alloc/dispatch.h"
#include "alloc/plugin.h"
#include "alloc/scope.h"

#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { THREADS = 4, ROUNDS = 3 };

static const char *uri, *pool_name;
static int n_things;

/* ---- bare ---- */

static virConnectPtr connection;
static virStoragePoolPtr storage;
static char *storage_path;
static int next;
static void (*step)(int i);

static void need(const void *p, const char *what) {
    if (p) return;
    fprintf(stderr, "bench_libvirt: %s: %s\n", what, virGetLastErrorMessage());
    exit(2);
}

static void bare_volume(int i) {
    char xml[512];
    snprintf(xml, sizeof xml,
             "<volume><name>bench-v%d.qcow2</name><capacity unit='bytes'>50000000000000</capacity>"
             "<allocation>0</allocation><target><format type='qcow2'/><compat>1.1</compat></target></volume>",
             i);
    virStorageVolPtr v = virStorageVolCreateXML(storage, xml, 0);
    need(v, "volume");
    virStorageVolFree(v);
}

static void bare_network(int i) {
    char xml[512];
    snprintf(xml, sizeof xml,
             "<network><name>bench-t%d</name><bridge name='bench%d' stp='on' delay='0'/></network>", i, i);
    virNetworkPtr net = virNetworkDefineXML(connection, xml);
    need(net, "network");
    if (virNetworkCreate(net) < 0) need(NULL, "network start");
    virNetworkSetAutostart(net, 1);
    virNetworkFree(net);
}

static void bare_server(int i) {
    char xml[4096];
    bare_network(i);
    snprintf(xml, sizeof xml,
             "<domain type='qemu'><name>bench-%d</name><title>tenant t%d</title><metadata>"
             "<a:server xmlns:a='urn:bench' token='s1.1.%d' tenant='t%d'/></metadata><memory "
             "unit='MiB'>16</memory>"
             "<vcpu>1</vcpu><os><type>hvm</type></os><features><acpi/></features><devices>"
             "<disk type='file' device='disk'><driver name='qemu' type='qcow2' discard='unmap'/>"
             "<source file='%s/bench-v%d.qcow2'/><target dev='vda' bus='virtio'/></disk>"
             "<interface type='network'><source network='bench-t%d'/><model type='virtio'/></interface>"
             "<serial type='pty'/><console type='pty'/></devices></domain>",
             i, i, i, i, storage_path, i, i);
    virDomainPtr d = virDomainDefineXML(connection, xml);
    need(d, "domain");
    if (virDomainCreateWithFlags(d, VIR_DOMAIN_START_PAUSED) < 0) need(NULL, "domain start");
    virDomainFree(d);
}

static void bare_gone(int i) {
    char name[64];
    snprintf(name, sizeof name, "bench-%d", i);
    virDomainPtr d = virDomainLookupByName(connection, name);
    need(d, "domain");
    virDomainDestroy(d);
    virDomainUndefine(d);
    virDomainFree(d);
    snprintf(name, sizeof name, "bench-v%d.qcow2", i);
    virStorageVolPtr v = virStorageVolLookupByName(storage, name);
    need(v, "volume");
    virStorageVolDelete(v, 0);
    virStorageVolFree(v);
    snprintf(name, sizeof name, "bench-t%d", i);
    virNetworkPtr net = virNetworkLookupByName(connection, name);
    need(net, "network");
    virNetworkDestroy(net);
    virNetworkUndefine(net);
    virNetworkFree(net);
}

static void *worker(void *arg) {
    (void)arg;
    for (int i; (i = __atomic_fetch_add(&next, 1, __ATOMIC_RELAXED)) < n_things;) step(i);
    return NULL;
}

static void in_threads(void (*what)(int)) {
    pthread_t threads[THREADS];
    next = 0;
    step = what;
    for (int t = 0; t < THREADS; t++) pthread_create(&threads[t], NULL, worker, NULL);
    for (int t = 0; t < THREADS; t++) pthread_join(threads[t], NULL);
}

static void bare(int64_t ms[2]) {
    int64_t start = clock_monotonic_ms();
    connection = virConnectOpen(uri);
    need(connection, "connection");
    storage = virStoragePoolLookupByName(connection, pool_name);
    need(storage, "storage pool");
    in_threads(bare_volume);
    in_threads(bare_server);
    ms[0] = clock_monotonic_ms() - start;
    start = clock_monotonic_ms();
    in_threads(bare_gone);
    virStoragePoolFree(storage);
    virConnectClose(connection);
    ms[1] = clock_monotonic_ms() - start;
}

/* ---- the backend ---- */

struct thing {
    char volume_token[32], server_token[32], volume[32], server[32];
    struct backend_disk disk;
    struct backend_slot slot;
};

static const struct backend *backend;
static struct backend_pool pool;
static struct backend_host host;

static void answered(struct backend_operation *ops, size_t n) {
    for (size_t i = 0; i < n; i++) {
        if (ops[i].answer != BACKEND_DONE) {
            fprintf(stderr, "bench_libvirt: %s: %s\n", ops[i].name, ops[i].detail);
            exit(2);
        }
        json_decref(ops[i].connection);
        ops[i].connection = NULL;
    }
}

static void by_backend(int64_t ms[2]) {
    size_t n = (size_t)n_things * 2;
    struct thing *things = mem_alloc((size_t)n_things * sizeof *things);
    struct backend_operation *ops = mem_alloc(n * sizeof *ops);
    for (int i = 0; i < n_things; i++) {
        struct thing *t = &things[i];
        snprintf(t->volume_token, 32, "sbe1c4.1.%d", 2 * i);
        snprintf(t->server_token, 32, "sbe1c4.1.%d", 2 * i + 1);
        snprintf(t->volume, 32, "allot-b%d-v", i);
        snprintf(t->server, 32, "allot-b%d-s", i);
        t->disk = (struct backend_disk){t->volume, t->volume_token};
        t->slot = (struct backend_slot){t->server, "", "none"};
        ops[2 * i] = (struct backend_operation){.token = t->volume_token,
                                                .kind = BACKEND_VOLUME,
                                                .name = t->volume,
                                                .host = "h1",
                                                .tenant = "t",
                                                .grant = "g",
                                                .tenant_number = i,
                                                .bytes = bytes(INT64_C(50000000000000))};
        ops[2 * i + 1] = (struct backend_operation){.token = t->server_token,
                                                    .kind = BACKEND_SERVER,
                                                    .name = t->server,
                                                    .host = "h1",
                                                    .tenant = "t",
                                                    .grant = "g",
                                                    .tenant_number = i,
                                                    .flavor = "v100",
                                                    .units = 1,
                                                    .slots = &t->slot,
                                                    .n_slots = 1,
                                                    .disks = &t->disk,
                                                    .n_disks = 1};
    }
    struct err e = {0};
    int64_t start = clock_monotonic_ms();
    dispatch_ensure(backend, &pool, ops, n, &e);
    ms[0] = clock_monotonic_ms() - start;
    answered(ops, n);
    start = clock_monotonic_ms();
    dispatch_remove(backend, &pool, ops, n, &e);
    ms[1] = clock_monotonic_ms() - start;
    answered(ops, n);
    free(ops);
    free(things);
}

static int by_value(const void *a, const void *b) {
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static int64_t median(int64_t *v) {
    qsort(v, ROUNDS, sizeof *v, by_value);
    return v[ROUNDS / 2];
}

static void quiet(void *arg, virErrorPtr e) { (void)arg, (void)e; }

static void prepare(char **argv) {
    struct err e = {0};
    char folder[4096] = "";
    uri = argv[1], pool_name = argv[2], n_things = atoi(argv[3]);
    if (readlink("/proc/self/exe", folder, sizeof folder - 1) < 0) exit(2);
    for (int up = 0; up < 2; up++) *strrchr(folder, '/') = '\0';
    backend = plugin_open_from(folder, "libvirt", &e);
    if (!backend) fprintf(stderr, "bench_libvirt: %s\n", e.what), exit(2);
    host = (struct backend_host){"h1", uri, NULL};
    pool = (struct backend_pool){
        .name = "bench",
        .basis = "fp32",
        .hosts = &host,
        .n_hosts = 1,
        .store_id = "sbe1c4",
        .deadline_ms = 600000,
        .settings = json_pack("{s:s, s:s, s:i, s:i, s:s, s:i, s:i, s:{s:{s:s, s:i}}}", "domain_type", "qemu",
                              "storage_pool", pool_name, "vcpus", 1, "memory_mib", 16, "start", "paused",
                              "overcommit_percent", 100000000, "parallel", THREADS, "flavors", "v100",
                              "attach", "none", "units_per_host", 1000)};
    virSetErrorFunc(NULL, quiet);
    virConnectPtr c = virConnectOpen(uri);
    need(c, "connection");
    virStoragePoolPtr p = virStoragePoolLookupByName(c, pool_name);
    need(p, "storage pool");
    char *xml = virStoragePoolGetXMLDesc(p, 0), *from = xml ? strstr(xml, "<path>") : NULL;
    char *to = from ? strstr(from, "</path>") : NULL;
    need(to, "storage path");
    *to = '\0';
    storage_path = mem_copy(from + strlen("<path>"));
    free(xml);
    virStoragePoolFree(p);
    virConnectClose(c);
}

int main(int argc, char **argv) {
    int64_t make[2][ROUNDS], gone[2][ROUNDS];
    if (argc != 4) return fprintf(stderr, "bench_libvirt: want URI POOL N\n"), 2;
    prepare(argv);
    for (int r = 0; r < ROUNDS; r++) {
        int64_t ms[2];
        bare(ms);
        make[0][r] = ms[0], gone[0][r] = ms[1];
        by_backend(ms);
        make[1][r] = ms[0], gone[1][r] = ms[1];
    }
    double bare_ms = (double)median(make[0]), ours_ms = (double)median(make[1]);
    double ratio = ours_ms / bare_ms, gone_ratio = (double)median(gone[1]) / (double)median(gone[0]);
    printf("libvirt: %d servers with volumes and networks: %.0f ms, bare program %.0f ms: ratio %.2f (limit "
           "1.30)\n",
           n_things, ours_ms, bare_ms, ratio);
    printf("libvirt: removing them: ratio %.2f\n", gone_ratio);
    return ratio > 1.3;
}
