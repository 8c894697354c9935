/* SPDX-License-Identifier: Apache-2.0 */
/* What a domain's XML says, and what is to be done about it. */
#include "host/hsm/domain_xml.h"
#include "host/hsm/plan.h"
#include "support/unit.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define TOKEN(bus, device)                                    \
    "<hostdev mode='subsystem' type='usb' managed='yes'>"     \
    "<source><vendor id='0x20a0'/><product id='0x4230'/>"     \
    "<address bus='" #bus "' device='" #device "'/></source>" \
    "<alias name='hostdev0'/><address type='usb' bus='0' port='2'/></hostdev>"
#define MOUSE                                                                 \
    "<hostdev type='usb'><source><vendor id='0x046d'/><product id='0xc077'/>" \
    "<address bus='1' device='2'/></source></hostdev>"
#define DOMAIN(devices) "<domain type='kvm'><name>x</name><devices>" devices "</devices></domain>"

static const struct hsm_usb_id hsm = {0x20a0, 0x4230};

static int parse(const char *xml, struct hsm_domain *ret)
{
    return hsm_domain_xml_parse(xml, strlen(xml), ret);
}

/* Attaching or detaching with these sticks, guestos's XML, and another running domain's (or NULL). */
static struct hsm_plan plan(enum hsm_verb verb, const struct hsm_usb_tokens *usb_tokens,
                            const char *held, const char *other)
{
    struct hsm_snapshot snapshot = {
        .wanted = "guestos", .cid = 3, .id = hsm, .usb_tokens = *usb_tokens};
    struct hsm_domain domain;
    struct hsm_plan made;
    if (other != NULL) {
        REQUIRE_EQUAL(parse(other, &domain), 0);
        hsm_snapshot_add(&snapshot, "other", &domain);
    }
    REQUIRE_EQUAL(parse(held, &domain), 0);
    hsm_snapshot_add(&snapshot, "guestos", &domain);
    hsm_plan_make(&snapshot, verb, &made);
    return made;
}

static const struct hsm_usb_tokens none = {.count = 0};
static const struct hsm_usb_tokens one = {1, {{1, 5}}};
static const struct hsm_usb_tokens two = {2, {{1, 5}, {2, 3}}};

UNIT_TEST(test_xml, "xml")
{
    struct hsm_domain domain;
    REQUIRE_EQUAL(
        parse("<?xml version='1.0'?>" DOMAIN("<vsock model='virtio'><cid auto='no' address='3'/>"
                                             "</vsock>" MOUSE TOKEN(1, 5)),
              &domain),
        0);
    CHECK_TRUE(domain.has_cid);
    CHECK_EQUAL(domain.cid, 3);
    REQUIRE_EQUAL(domain.count, 2);
    CHECK_TRUE(hsm_same_id(domain.usb[1].id, hsm));
    CHECK_TRUE(hsm_same_address(domain.usb[1].address, one.token[0]));
}

UNIT_TEST(test_xml_of_less, "xml of less")
{
    struct hsm_domain domain;
    REQUIRE_EQUAL(parse("<domain/>", &domain), 0);
    CHECK_FALSE(domain.has_cid);
    CHECK_EQUAL(domain.count, 0);
    REQUIRE_EQUAL(
        parse(DOMAIN("<vsock/><hostdev/><hostdev type='pci'><source><address bus='0x1'/></source>"
                     "</hostdev><hostdev type='usb'><source><vendor id='0xzz'/>"
                     "<product id='0x4230'/></source></hostdev><hostdev type='usb'>"
                     "<source missing='yes'><vendor id='0x20a0'/><product id='0x4230'/></source>"
                     "</hostdev><hostdev type='usb'><source><address bus='1' device='5'/></source>"
                     "</hostdev>"),
              &domain),
        0);
    CHECK_FALSE(domain.has_cid);
    REQUIRE_EQUAL(domain.count, 1);
    CHECK_FALSE(domain.usb[0].has_id);
    CHECK_TRUE(domain.usb[0].has_address);
}

UNIT_TEST(test_xml_refused, "xml refused")
{
    struct hsm_domain domain = {.count = 7};
    static const char *const bad[] = {
        "",
        "x",
        "<domain>",
        "<network/>",
        "<!DOCTYPE domain [<!ENTITY a 'b'>]><domain>&a;</domain>",
        "<!DOCTYPE domain SYSTEM 'file:///etc/hostname'><domain/>",
    };
    CHECK_EACH(i, bad, "%s", bad[i]) {
        CHECK_EQUAL(parse(bad[i], &domain), -EBADMSG);
    }
    CHECK_EQUAL(domain.count, 7);
}

/* A domain with so many USB devices. */
static int parse_many(unsigned count, struct hsm_domain *ret)
{
    static char xml[64 * 1024];
    int length = snprintf(xml, sizeof xml, "<domain><devices>");
    for (unsigned i = 0; i < count; i++) {
        length += snprintf(xml + length, sizeof xml - (size_t)length,
                           "<hostdev type='usb'><source><address bus='1' device='%u'/></source>"
                           "</hostdev>",
                           i);
    }
    (void)snprintf(xml + length, sizeof xml - (size_t)length, "</devices></domain>");
    return parse(xml, ret);
}

UNIT_TEST(test_xml_limits, "xml limits")
{
    struct hsm_domain domain;
    CHECK_EQUAL(parse_many(HSM_USB_MAX, &domain), 0);
    CHECK_EQUAL(domain.count, HSM_USB_MAX);
    CHECK_EQUAL(parse_many(HSM_USB_MAX + 1, &domain), -EOVERFLOW);

    static char xml[HSM_XML_MAX + 1];
    memset(xml, ' ', sizeof xml);
    int length = snprintf(xml, sizeof xml, "<domain/>");
    xml[length] = ' ';
    CHECK_EQUAL(hsm_domain_xml_parse(xml, HSM_XML_MAX, &domain), 0);
    CHECK_EQUAL(hsm_domain_xml_parse(xml, HSM_XML_MAX + 1, &domain), -EFBIG);
}

UNIT_TEST(test_attach, "attach")
{
    char xml[HSM_DEVICE_XML_MAX];
    struct hsm_plan made = plan(HSM_ATTACH, &one, DOMAIN(MOUSE), NULL);
    CHECK_EQUAL(made.verdict, HSM_PLAN_ATTACH);
    CHECK_EQUAL(made.free, 1);
    hsm_plan_format(&made, xml);
    CHECK_STRING(xml, "<hostdev mode='subsystem' type='usb' managed='yes'><source>"
                      "<vendor id='0x20a0'/><product id='0x4230'/>"
                      "<address bus='1' device='5'/></source>"
                      "<address type='usb' bus='0' port='2'/></hostdev>");
    CHECK_EQUAL(plan(HSM_ATTACH, &one, DOMAIN(TOKEN(1, 5)), NULL).verdict, HSM_PLAN_DONE);
    CHECK_EQUAL(plan(HSM_ATTACH, &none, DOMAIN(MOUSE), NULL).verdict, HSM_PLAN_NO_TOKEN);
    CHECK_EQUAL(plan(HSM_ATTACH, &none, DOMAIN(TOKEN(1, 5)), NULL).verdict, HSM_PLAN_NO_TOKEN);
}

UNIT_TEST(test_attach_by_address_alone, "attach by address alone")
{
    static const char held[] =
        DOMAIN("<hostdev type='usb'><source><address bus='1' device='5'/></source></hostdev>");
    CHECK_EQUAL(plan(HSM_ATTACH, &one, held, NULL).verdict, HSM_PLAN_DONE);
    CHECK_EQUAL(plan(HSM_DETACH, &one, held, NULL).verdict, HSM_PLAN_DETACH);
    CHECK_EQUAL(plan(HSM_DETACH, &none, held, NULL).verdict, HSM_PLAN_DONE);
}

/* Plugged in again, with another address, while the domain holds the old one. */
UNIT_TEST(test_stale, "stale")
{
    char xml[HSM_DEVICE_XML_MAX];
    struct hsm_plan made = plan(HSM_ATTACH, &one, DOMAIN(TOKEN(1, 4)), NULL);
    CHECK_EQUAL(made.verdict, HSM_PLAN_DETACH);
    hsm_plan_format(&made, xml);
    CHECK_STRING(xml, "<hostdev mode='subsystem' type='usb' managed='yes'><source>"
                      "<vendor id='0x20a0'/><product id='0x4230'/>"
                      "<address bus='1' device='4'/></source></hostdev>");
    /* With no stick to take its place it stays. */
    CHECK_EQUAL(plan(HSM_ATTACH, &one, DOMAIN(TOKEN(1, 4)), DOMAIN(TOKEN(1, 5))).verdict,
                HSM_PLAN_IN_USE);
    CHECK_EQUAL(plan(HSM_ATTACH, &one, DOMAIN(TOKEN(1, 4) TOKEN(1, 5)), NULL).verdict,
                HSM_PLAN_DONE);
}

UNIT_TEST(test_two_tokens, "two tokens")
{
    struct hsm_plan made = plan(HSM_ATTACH, &two, DOMAIN(""), NULL);
    CHECK_EQUAL(made.verdict, HSM_PLAN_ATTACH);
    CHECK_EQUAL(made.free, 2);
    CHECK_TRUE(hsm_same_address(made.device.address, two.token[0]));
    made = plan(HSM_ATTACH, &two, DOMAIN(""), DOMAIN(TOKEN(1, 5)));
    CHECK_EQUAL(made.verdict, HSM_PLAN_ATTACH);
    CHECK_EQUAL(made.free, 1);
    CHECK_TRUE(hsm_same_address(made.device.address, two.token[1]));
    CHECK_EQUAL(plan(HSM_ATTACH, &two, DOMAIN(""), DOMAIN(TOKEN(1, 5) TOKEN(2, 3))).verdict,
                HSM_PLAN_IN_USE);
    CHECK_EQUAL(plan(HSM_ATTACH, &two, DOMAIN(TOKEN(2, 3)), NULL).verdict, HSM_PLAN_DONE);
}

UNIT_TEST(test_detach, "detach")
{
    char xml[HSM_DEVICE_XML_MAX];
    CHECK_EQUAL(plan(HSM_DETACH, &one, DOMAIN(MOUSE), NULL).verdict, HSM_PLAN_DONE);
    CHECK_EQUAL(plan(HSM_DETACH, &one, DOMAIN(""), DOMAIN(TOKEN(1, 5))).verdict, HSM_PLAN_DONE);
    struct hsm_plan made = plan(HSM_DETACH, &none, DOMAIN(MOUSE TOKEN(1, 9) TOKEN(1, 10)), NULL);
    CHECK_EQUAL(made.verdict, HSM_PLAN_DETACH);
    CHECK_EQUAL(made.device.address.device, 9);
    made = plan(HSM_DETACH, &none,
                DOMAIN("<hostdev type='usb'><source><vendor id='0x20a0'/><product id='0x4230'/>"
                       "</source></hostdev>"),
                NULL);
    CHECK_EQUAL(made.verdict, HSM_PLAN_DETACH);
    hsm_plan_format(&made, xml);
    CHECK_STRING(xml, "<hostdev mode='subsystem' type='usb' managed='yes'><source>"
                      "<vendor id='0x20a0'/><product id='0x4230'/></source></hostdev>");
}

UNIT_TEST(test_by_cid, "by cid")
{
    struct hsm_snapshot snapshot = {.wanted = HSM_BY_CID, .cid = 4, .id = hsm, .usb_tokens = one};
    struct hsm_domain domain;
    struct hsm_plan made;
    REQUIRE_EQUAL(parse(DOMAIN("<vsock><cid address='3'/></vsock>"), &domain), 0);
    hsm_snapshot_add(&snapshot, "three", &domain);
    hsm_plan_make(&snapshot, HSM_ATTACH, &made);
    CHECK_EQUAL(made.verdict, HSM_PLAN_NO_DOMAIN);
    REQUIRE_EQUAL(parse(DOMAIN("<vsock><cid address='4'/></vsock>"), &domain), 0);
    hsm_snapshot_add(&snapshot, "four", &domain);
    hsm_plan_make(&snapshot, HSM_ATTACH, &made);
    CHECK_EQUAL(made.verdict, HSM_PLAN_ATTACH);
    CHECK_STRING(snapshot.name, "four");
}

UNIT_TEST(test_numbers, "numbers")
{
    uint32_t number = 7;
    CHECK_EQUAL(hsm_number_parse("4294967296", 10, &number), -ERANGE);
    CHECK_EQUAL(hsm_number_parse("99999999999999999999999", 10, &number), -ERANGE);
    CHECK_EQUAL(hsm_number_parse("", 10, &number), -EINVAL);
    CHECK_EQUAL(hsm_number_parse("-1", 10, &number), -EINVAL);
    CHECK_EQUAL(hsm_number_parse("a", 10, &number), -EINVAL);
    CHECK_EQUAL(number, 7);
    CHECK_EQUAL(hsm_number_parse("4294967295", 10, &number), 0);
    CHECK_EQUAL(number, UINT32_MAX);
    CHECK_EQUAL(hsm_number_parse("20a0", 16, &number), 0);
    CHECK_EQUAL(number, 0x20a0);
}

UNIT_MAIN("hsm_plan")
