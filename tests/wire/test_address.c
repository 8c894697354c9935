/* SPDX-License-Identifier: Apache-2.0 */
#include "support/unit.h"
#include "wire/address.h"

#include <errno.h>
#include <linux/vm_sockets.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>

static const struct {
    const char *text;
    enum address_use use;
    uint32_t cid;
    uint32_t port;
    const char *formatted; /* NULL: as `text` */
} taken[] = {
    {"vsock:2:19090", ADDRESS_CONNECT, 2, 19090, NULL},
    {"vsock:2:1", ADDRESS_CONNECT, 2, 1, NULL},
    {"vsock:2:4294967294", ADDRESS_CONNECT, 2, 4294967294U, NULL},
    {"vsock:0:1", ADDRESS_LISTEN, 0, 1, NULL},
    {"vsock:4294967294:1", ADDRESS_LISTEN, 4294967294U, 1, NULL},
    {"vsock:any:19090", ADDRESS_LISTEN, VMADDR_CID_ANY, 19090, NULL},
    {"vsock:02:0019090", ADDRESS_CONNECT, 2, 19090, "vsock:2:19090"},
};

UNIT_TEST(test_vsock, "vsock addresses, both ways")
{
    CHECK_EACH(i, taken, "%s", taken[i].text) {
        struct address address = {0};
        struct sockaddr_storage storage;
        struct sockaddr_vm vsock;
        char out[ADDRESS_TEXT_MAX];
        const char *why = NULL;
        REQUIRE_EQUAL(address_parse(taken[i].text, taken[i].use, &address, &why), 0);
        CHECK_EQUAL(address.family, AF_VSOCK);
        CHECK_EQUAL(address.cid, taken[i].cid);
        CHECK_EQUAL(address.port, taken[i].port);
        address_format(&address, out);
        CHECK_STRING(out, taken[i].formatted ? taken[i].formatted : taken[i].text);
        CHECK_EQUAL(address_to_sockaddr(&address, &storage), sizeof vsock);
        memcpy(&vsock, &storage, sizeof vsock);
        CHECK_EQUAL(vsock.svm_family, AF_VSOCK);
        CHECK_EQUAL(vsock.svm_cid, taken[i].cid);
        CHECK_EQUAL(vsock.svm_port, taken[i].port);
    }
}

/* The word that the reason must hold tells one cause from another. */
static const struct {
    const char *text;
    enum address_use use;
    const char *word;
} refused[] = {
    {"", ADDRESS_CONNECT, "expected vsock:CID:PORT or unix:PATH"},
    {"", ADDRESS_LISTEN, "vsock:any:PORT"},
    {"tcp:1:2", ADDRESS_CONNECT, "expected vsock:CID:PORT"},
    {"VSOCK:2:1", ADDRESS_CONNECT, "expected vsock:CID:PORT"},
    {"vsock:", ADDRESS_CONNECT, "expected vsock:CID:PORT"},
    {"vsock:19090", ADDRESS_CONNECT, "expected vsock:CID:PORT"},
    {"vsock::19090", ADDRESS_CONNECT, "CID"},
    {"vsock:host:19090", ADDRESS_CONNECT, "CID"},
    {"vsock:4294967295:19090", ADDRESS_CONNECT, "CID"},
    {"vsock:4294967296:19090", ADDRESS_CONNECT, "CID"},
    {"vsock:00000000002:19090", ADDRESS_CONNECT, "CID"},
    {"vsock:-1:19090", ADDRESS_LISTEN, "nor \"any\""},
    {"vsock:any:19090", ADDRESS_CONNECT, "for a listener"},
    {"vsock:2:0", ADDRESS_CONNECT, "port"},
    {"vsock:2:4294967295", ADDRESS_CONNECT, "port"},
    {"vsock:2:", ADDRESS_CONNECT, "port"},
    {"vsock:2:19090:1", ADDRESS_CONNECT, "port"},
    {"vsock:2:http", ADDRESS_CONNECT, "port"},
    {"unix:", ADDRESS_CONNECT, "empty"},
    {"unix:a/b", ADDRESS_LISTEN, "expected unix:/PATH"},
};

UNIT_TEST(test_refused, "what is refused says why")
{
    CHECK_EACH(i, refused, "%s", refused[i].text) {
        struct address address = {.port = 77};
        const char *why = "";
        CHECK_EQUAL(address_parse(refused[i].text, refused[i].use, &address, &why), -EINVAL);
        CHECK_CONTAINS(why, refused[i].word);
        CHECK_EQUAL(address.port, 77);
    }
}

static void make_path(char *out, size_t length)
{
    memcpy(out, "unix:", strlen("unix:"));
    memset(out + strlen("unix:"), 'p', length);
    out[strlen("unix:") + length] = '\0';
}

UNIT_TEST(test_unix, "unix addresses, up to the longest path")
{
    char text[ADDRESS_TEXT_MAX];
    char out[ADDRESS_TEXT_MAX];
    struct address address = {0};
    struct sockaddr_storage storage;
    struct sockaddr_un local;
    const char *why = "";
    make_path(text, ADDRESS_PATH_MAX);
    REQUIRE_EQUAL(address_parse(text, ADDRESS_CONNECT, &address, &why), 0);
    CHECK_EQUAL(address.family, AF_UNIX);
    address_format(&address, out);
    CHECK_STRING(out, text);
    CHECK_EQUAL(address_to_sockaddr(&address, &storage), sizeof local);
    memcpy(&local, &storage, sizeof local);
    CHECK_EQUAL(local.sun_family, AF_UNIX);
    CHECK_STRING(local.sun_path, text + strlen("unix:"));

    make_path(text, ADDRESS_PATH_MAX + 1);
    CHECK_EQUAL(address_parse(text, ADDRESS_LISTEN, &address, &why), -EINVAL);
    CHECK_CONTAINS(why, "107");

    CHECK_EQUAL(address_parse("unix:/run/a:b", ADDRESS_LISTEN, &address, &why), 0);
    CHECK_STRING(address.path, "/run/a:b");
    CHECK_EQUAL(address_to_sockaddr(&address, &storage),
                offsetof(struct sockaddr_un, sun_path) + sizeof "/run/a:b");
}

UNIT_MAIN("wire addresses")
