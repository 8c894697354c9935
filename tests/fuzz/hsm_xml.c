/* SPDX-License-Identifier: Apache-2.0 */
/* A domain's XML at vsock_host-hsm. The whole input is the document: libvirt's, but parts of it come
 * from whoever defined the domain, and root reads it. */
#include "fuzz/fuzz.h"
#include "host/hsm/domain_xml.h"

#include <errno.h>

enum { DEVICE_BYTES = 256, DOCUMENT_BYTES = (HSM_USB_MAX + 1) * DEVICE_BYTES };

static bool equal(const struct hsm_domain *a, const struct hsm_domain *b)
{
    bool same =
        a->has_cid == b->has_cid && (!a->has_cid || a->cid == b->cid) && a->count == b->count;
    for (size_t i = 0; same && i < a->count; i++) {
        const struct hsm_hostdev *one = &a->usb[i];
        const struct hsm_hostdev *other = &b->usb[i];
        same = one->has_id == other->has_id && one->has_address == other->has_address &&
               (!one->has_id || hsm_same_id(one->id, other->id)) &&
               (!one->has_address || hsm_same_address(one->address, other->address));
    }
    return same;
}

static size_t write_device(const struct hsm_hostdev *usb, char *out, size_t size)
{
    size_t length = (size_t)snprintf(out, size, "<hostdev type='usb'><source>");
    if (usb->has_id) {
        length +=
            (size_t)snprintf(out + length, size - length, "<vendor id='0x%x'/><product id='%u'/>",
                             usb->id.vendor, usb->id.product);
    }
    if (usb->has_address) {
        length += (size_t)snprintf(out + length, size - length, "<address bus='%u' device='%u'/>",
                                   usb->address.bus, usb->address.device);
    }
    return length + (size_t)snprintf(out + length, size - length, "</source></hostdev>");
}

/* The shortest document that says the same. */
static size_t write_document(const struct hsm_domain *domain, char out[DOCUMENT_BYTES])
{
    size_t length = (size_t)snprintf(out, DOCUMENT_BYTES, "<domain><devices>");
    if (domain->has_cid) {
        length += (size_t)snprintf(out + length, DOCUMENT_BYTES - length,
                                   "<vsock><cid address='%u'/></vsock>", domain->cid);
    }
    for (size_t i = 0; i < domain->count; i++) {
        length += write_device(&domain->usb[i], out + length, DOCUMENT_BYTES - length);
    }
    length += (size_t)snprintf(out + length, DOCUMENT_BYTES - length, "</devices></domain>");
    FUZZ_CHECK(length < DOCUMENT_BYTES);
    return length;
}

static void check_found(const struct hsm_domain *domain)
{
    static char document[DOCUMENT_BYTES];
    struct hsm_domain again;
    FUZZ_CHECK(domain->count <= HSM_USB_MAX);
    for (size_t i = 0; i < domain->count; i++) {
        FUZZ_CHECK(domain->usb[i].has_id || domain->usb[i].has_address);
    }
    size_t length = write_document(domain, document);
    FUZZ_CHECK(hsm_domain_xml_parse(document, length, &again) == 0);
    FUZZ_CHECK(equal(domain, &again));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct hsm_domain untouched = {.has_cid = true, .cid = UINT32_MAX, .count = 0};
    struct hsm_domain domain = untouched;
    int error = hsm_domain_xml_parse((const char *)data, size, &domain);
    if (error == 0) {
        check_found(&domain);
    } else {
        FUZZ_CHECK(error == -EBADMSG || error == -EOVERFLOW);
        FUZZ_CHECK(equal(&domain, &untouched));
    }
    return 0;
}
