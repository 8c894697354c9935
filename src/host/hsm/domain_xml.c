/* SPDX-License-Identifier: Apache-2.0 */
#include "host/hsm/domain_xml.h"

#include <errno.h>
#include <libxml/parser.h>
#include <libxml/tree.h>
#include <string.h>

static bool is_element(const xmlNode *node, const char *name)
{
    return node->type == XML_ELEMENT_NODE && strcmp((const char *)node->name, name) == 0;
}

static xmlNode *find_child(const xmlNode *parent, const char *name)
{
    for (xmlNode *node = parent->children; node != NULL; node = node->next) {
        if (is_element(node, name)) {
            return node;
        }
    }
    return NULL;
}

static bool attribute_is(const xmlNode *node, const char *name, const char *value)
{
    xmlChar *found = xmlGetProp(node, (const xmlChar *)name);
    bool same = found != NULL && strcmp((const char *)found, value) == 0;
    xmlFree(found);
    return same;
}

/* A number as libvirt writes it: decimal, or hexadecimal behind 0x. False: there is none. */
static bool read_number(const xmlNode *node, const char *name, uint32_t *ret)
{
    xmlChar *found = node == NULL ? NULL : xmlGetProp(node, (const xmlChar *)name);
    const char *text = (const char *)found;
    bool read = false;
    if (found != NULL) {
        bool hex = strncmp(text, "0x", 2) == 0;
        read = hsm_number_parse(hex ? text + 2 : text, hex ? 16 : 10, ret) == 0;
    }
    xmlFree(found);
    return read;
}

static int add_hostdev(const xmlNode *node, struct hsm_domain *domain)
{
    struct hsm_hostdev found = {.has_id = false};
    const xmlNode *source = find_child(node, "source");
    /* "missing": it was optional and absent when the domain started, which therefore has none. */
    if (!attribute_is(node, "type", "usb") || source == NULL ||
        attribute_is(source, "missing", "yes")) {
        return 0;
    }
    const xmlNode *address = find_child(source, "address");
    found.has_id = read_number(find_child(source, "vendor"), "id", &found.id.vendor) &&
                   read_number(find_child(source, "product"), "id", &found.id.product);
    found.has_address = read_number(address, "bus", &found.address.bus) &&
                        read_number(address, "device", &found.address.device);
    if (!found.has_id && !found.has_address) {
        return 0;
    }
    if (domain->count == HSM_USB_MAX) {
        return -EOVERFLOW;
    }
    domain->usb[domain->count++] = found;
    return 0;
}

static int read_devices(const xmlNode *devices, struct hsm_domain *domain)
{
    for (const xmlNode *node = devices->children; node != NULL; node = node->next) {
        if (is_element(node, "vsock")) {
            domain->has_cid = read_number(find_child(node, "cid"), "address", &domain->cid);
        } else if (is_element(node, "hostdev")) {
            int error = add_hostdev(node, domain);
            if (error != 0) {
                return error;
            }
        }
    }
    return 0;
}

static int read_document(const xmlDoc *document, struct hsm_domain *domain)
{
    const xmlNode *root = xmlDocGetRootElement(document);
    if (document->intSubset != NULL || root == NULL || !is_element(root, "domain")) {
        return -EBADMSG;
    }
    const xmlNode *devices = find_child(root, "devices");
    return devices == NULL ? 0 : read_devices(devices, domain);
}

int hsm_domain_xml_parse(const char *xml, size_t length, struct hsm_domain *ret)
{
    if (length > HSM_XML_MAX) {
        return -EFBIG;
    }
    struct hsm_domain domain = {.has_cid = false};
    xmlDoc *document = xmlReadMemory(xml, (int)length, NULL, NULL,
                                     XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
    if (document == NULL) {
        return -EBADMSG;
    }
    int error = read_document(document, &domain);
    xmlFreeDoc(document);
    if (error == 0) {
        *ret = domain;
    }
    return error;
}
