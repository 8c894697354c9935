/* SPDX-License-Identifier: Apache-2.0 */
/* Attaching and detaching against a libvirt of the test's own, and sticks in a folder. */
#include "host/hsm/libvirt.h"
#include "host/hsm/run.h"
#include "host/hsm/usb.h"
#include "support/folder.h"
#include "support/unit.h"
#include "wire/clock.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FAR_MS = 60000, SOON_MS = 700, HELD_MAX = 8 };

/* The stand-in for libvirt: one domain, and how its calls go. */
static struct {
    const char *name; /* the one that runs, NULL: none */
    struct hsm_usb_address held[HELD_MAX];
    size_t count;
    int failures; /* changes that fail with `error` first */
    int error;
    int open_error;
    bool lies; /* a change does nothing and succeeds */
    unsigned attached;
    unsigned detached;
    const char *plugs_in; /* after so many looks */
    unsigned looks;
} fake;

static char top[] = "/tmp/vt-hsm-XXXXXX";
static char folder[64]; /* of the sticks, a new one for each test */

int hsm_libvirt_open(const char *uri, struct hsm_virt **ret, char words[HSM_WORDS_MAX])
{
    (void)snprintf(words, HSM_WORDS_MAX, "no %s", uri);
    *ret = NULL;
    return fake.open_error;
}

struct hsm_virt *hsm_libvirt_close(struct hsm_virt *virt)
{
    (void)virt;
    return NULL;
}

static void plug_in(const char *name, const char *vendor, unsigned bus, unsigned device)
{
    const char *const files[] = {"idVendor", "idProduct", "busnum", "devnum"};
    char path[256];
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    REQUIRE_EQUAL(mkdir(path, 0700), 0);
    for (size_t i = 0; i < 4; i++) {
        CHECK_ROW("i = %zu", i);
        (void)snprintf(path, sizeof path, "%s/%s/%s", folder, name, files[i]);
        FILE *out = fopen(path, "w");
        REQUIRE_NOT_NULL(out);
        if (i < 2) {
            fprintf(out, "%s\n", i == 0 ? vendor : "4230");
        } else {
            fprintf(out, "%u\n", i == 2 ? bus : device);
        }
        REQUIRE_EQUAL(fclose(out), 0);
    }
}

int hsm_libvirt_each_running(struct hsm_virt *virt, hsm_libvirt_function *function, void *context,
                             char words[HSM_WORDS_MAX])
{
    char xml[4096];
    int length = snprintf(xml, sizeof xml, "<domain><devices>");
    (void)virt;
    (void)words;
    for (size_t i = 0; i < fake.count; i++) {
        length += snprintf(xml + length, sizeof xml - (size_t)length,
                           "<hostdev type='usb'><source><vendor id='0x20a0'/><product id='0x4230'/>"
                           "<address bus='%u' device='%u'/></source></hostdev>",
                           fake.held[i].bus, fake.held[i].device);
    }
    (void)snprintf(xml + length, sizeof xml - (size_t)length, "</devices></domain>");
    if (fake.name != NULL) {
        function(context, fake.name, xml);
    }
    if (++fake.looks == 2 && fake.plugs_in != NULL) {
        plug_in(fake.plugs_in, "20a0", 1, 6);
    }
    return 0;
}

bool hsm_libvirt_knows(struct hsm_virt *virt, const char *name)
{
    (void)virt;
    return strcmp(name, "off") == 0;
}

static bool fails(char words[HSM_WORDS_MAX])
{
    (void)snprintf(words, HSM_WORDS_MAX, "not now");
    return fake.failures != 0 && fake.failures-- > 0;
}

static struct hsm_usb_address address_of(const char *xml)
{
    static const char before_bus[] = "<address bus='";
    static const char before_device[] = "' device='";
    struct hsm_usb_address found = {0, 0};
    char *end = NULL;
    const char *at = strstr(xml, before_bus);
    REQUIRE_NOT_NULL(at);
    if (at != NULL) {
        found.bus = (uint32_t)strtoul(at + strlen(before_bus), &end, 10);
        CHECK_PREFIX(end, before_device);
        found.device = (uint32_t)strtoul(end + strlen(before_device), NULL, 10);
    }
    return found;
}

int hsm_libvirt_attach(struct hsm_virt *virt, const char *name, const char *xml,
                       char words[HSM_WORDS_MAX])
{
    (void)virt;
    CHECK_STRING(name, "guestos");
    if (fails(words)) {
        return fake.error;
    }
    fake.attached++;
    if (!fake.lies) {
        fake.held[fake.count++] = address_of(xml);
    }
    return 0;
}

int hsm_libvirt_detach(struct hsm_virt *virt, const char *name, const char *xml,
                       char words[HSM_WORDS_MAX])
{
    (void)virt;
    CHECK_STRING(name, "guestos");
    if (fails(words)) {
        return fake.error;
    }
    fake.detached++;
    for (size_t i = 0; i < fake.count && !fake.lies; i++) {
        if (hsm_same_address(fake.held[i], address_of(xml))) {
            fake.held[i] = fake.held[--fake.count];
        }
    }
    return 0;
}

static struct hsm_result run(enum hsm_verb verb, const char *domain, int64_t limit_ms)
{
    static char uri[] = "test:///default";
    static char wanted[32];
    (void)snprintf(wanted, sizeof wanted, "%s", domain);
    const struct conf conf = {.hsm = {.uri = uri,
                                      .domain = wanted,
                                      .vendor = 0x20a0,
                                      .product = 0x4230,
                                      .timeout_ms = limit_ms}};
    const struct hsm_order order = {&conf, verb, 3, clock_deadline(limit_ms), folder};
    struct hsm_result result;
    hsm_run(&order, &result);
    return result;
}

static void begin(void)
{
    static unsigned begun;
    memset(&fake, 0, sizeof fake);
    fake.name = "guestos";
    (void)snprintf(folder, sizeof folder, "%s/%u", top, begun++);
    REQUIRE_EQUAL(mkdir(folder, 0700), 0);
}

static void expect(const struct hsm_result *result, enum error_code code, const char *text)
{
    CHECK_EQUAL(result->code, code);
    CHECK_STRING(result->text, text);
}

UNIT_TEST(test_attach_and_detach, "attach and detach")
{
    begin();
    plug_in("1-1", "20a0", 1, 5);
    struct hsm_result result = run(HSM_ATTACH, "guestos", FAR_MS);
    expect(&result, ERROR_NONE, "the HSM is attached to guestos");
    CHECK_STRING(result.note, "");
    result = run(HSM_ATTACH, "guestos", FAR_MS);
    expect(&result, ERROR_NONE, "guestos has the HSM already");
    result = run(HSM_DETACH, "guestos", FAR_MS);
    expect(&result, ERROR_NONE, "the HSM is detached from guestos");
    result = run(HSM_DETACH, "guestos", FAR_MS);
    expect(&result, ERROR_NONE, "guestos has no HSM");
    CHECK_EQUAL(fake.attached, 1);
    CHECK_EQUAL(fake.detached, 1);
}

UNIT_TEST(test_pulled_out, "pulled out")
{
    begin();
    fake.count = 2;
    fake.held[0] = (struct hsm_usb_address){1, 4};
    fake.held[1] = (struct hsm_usb_address){1, 3};
    struct hsm_result result = run(HSM_DETACH, "guestos", FAR_MS);
    expect(&result, ERROR_NONE, "the HSM is detached from guestos");
    CHECK_EQUAL(fake.detached, 2);
}

UNIT_TEST(test_new_address, "new address")
{
    begin();
    plug_in("1-1", "20a0", 1, 5);
    fake.count = 1;
    fake.held[0] = (struct hsm_usb_address){1, 4};
    struct hsm_result result = run(HSM_ATTACH, "guestos", FAR_MS);
    expect(&result, ERROR_NONE, "the HSM is attached to guestos");
    CHECK_EQUAL(fake.detached, 1);
    CHECK_EQUAL(fake.attached, 1);
    CHECK_EQUAL(fake.held[0].device, 5);
}

UNIT_TEST(test_two_tokens, "two tokens")
{
    begin();
    plug_in("2-1", "20a0", 2, 3);
    plug_in("1-2", "20a0", 1, 10);
    plug_in("1-1", "20a0", 1, 9);
    plug_in("1-3", "1d6b", 1, 1);
    CHECK_EQUAL(run(HSM_ATTACH, "guestos", FAR_MS).code, ERROR_NONE);
    CHECK_TRUE(hsm_same_address(fake.held[0], (struct hsm_usb_address){1, 9}));
    fake.count = 0;
    struct hsm_result result = run(HSM_ATTACH, "guestos", FAR_MS);
    CHECK_STRING(result.note,
                 "3 USB tokens 20a0:4230 are free; the first is attached: bus 1 device 9");
}

UNIT_TEST(test_just_plugged_in, "just plugged in")
{
    begin();
    fake.plugs_in = "1-1";
    fake.failures = 2;
    fake.error = -EIO;
    struct hsm_result result = run(HSM_ATTACH, "guestos", FAR_MS);
    expect(&result, ERROR_NONE, "the HSM is attached to guestos");
}

UNIT_TEST(test_absent, "absent")
{
    begin();
    struct hsm_result result = run(HSM_ATTACH, "guestos", FAR_MS);
    expect(&result, ERROR_UNAVAILABLE, "no USB token 20a0:4230 is plugged in");
    CHECK_COMPARE(fake.looks, >, 1);
    result = run(HSM_ATTACH, "off", FAR_MS);
    expect(&result, ERROR_UNAVAILABLE, "the domain off is not running");
    result = run(HSM_DETACH, "none", FAR_MS);
    expect(&result, ERROR_UNAVAILABLE, "the domain none does not exist");
    result = run(HSM_DETACH, HSM_BY_CID, FAR_MS);
    expect(&result, ERROR_UNAVAILABLE, "no running domain has the CID 3");
    fake.open_error = -ENOTCONN;
    result = run(HSM_DETACH, "guestos", FAR_MS);
    expect(&result, ERROR_UNAVAILABLE, "libvirt cannot be reached: no test:///default");
}

/* Each kind of failure that lasts, and what the guest is told. */
UNIT_TEST(test_failures, "failures")
{
    static const struct {
        int error;
        enum error_code code;
        int64_t limit_ms;
        const char *text;
    } rows[] = {
        {-EBUSY, ERROR_UNAVAILABLE, FAR_MS, "attaching the HSM: not now"},
        {-ENOENT, ERROR_UNAVAILABLE, FAR_MS, "attaching the HSM: not now"},
        {-ENOTCONN, ERROR_UNAVAILABLE, FAR_MS, "attaching the HSM: not now"},
        {-EOPNOTSUPP, ERROR_INTERNAL, FAR_MS, "attaching the HSM: not now"},
        {-EIO, ERROR_TIMEOUT, SOON_MS, "attaching the HSM failed for 0.7 s: not now"},
    };
    begin();
    plug_in("1-1", "20a0", 1, 5);
    CHECK_EACH(i, rows, "%s", rows[i].text) {
        fake.failures = 1000000;
        fake.error = rows[i].error;
        struct hsm_result result = run(HSM_ATTACH, "guestos", rows[i].limit_ms);
        expect(&result, rows[i].code, rows[i].text);
    }
}

UNIT_TEST(test_does_not_show, "does not show")
{
    begin();
    plug_in("1-1", "20a0", 1, 5);
    fake.lies = true;
    struct hsm_result result = run(HSM_ATTACH, "guestos", SOON_MS);
    expect(&result, ERROR_TIMEOUT,
           "libvirt attached the HSM, but the XML of guestos does not show it");
}

UNIT_TEST(test_tokens_limit, "tokens limit")
{
    struct hsm_usb_tokens usb_tokens;
    char name[16];
    begin();
    for (unsigned i = 0; i < HSM_TOKENS_MAX + 1; i++) {
        (void)snprintf(name, sizeof name, "1-%u", i);
        plug_in(name, "20a0", 1, i);
    }
    CHECK_EQUAL(hsm_usb_tokens_read(folder, (struct hsm_usb_id){0x20a0, 0x4230}, &usb_tokens), 0);
    CHECK_EQUAL(usb_tokens.count, HSM_TOKENS_MAX);
    CHECK_EQUAL(hsm_usb_tokens_read(folder, (struct hsm_usb_id){0x20a0, 0x4231}, &usb_tokens), 0);
    CHECK_EQUAL(usb_tokens.count, 0);
    CHECK_EQUAL(hsm_usb_tokens_read("/proc/self/comm", (struct hsm_usb_id){1, 1}, &usb_tokens),
                -ENOTDIR);
}

int main(void)
{
    return folder_unit_main("hsm_run", top, NULL);
}
