/* SPDX-License-Identifier: GPL-2.0-only */
/* fwctl flows: what `keep state` has recorded. Flows are written one by one: there may be millions.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/message.h"
#include "base/number.h"
#include "commands/flows_filter.h"
#include "commands/flows_report.h"
#include "commands/hook.h"
#include "commands/json.h"
#include "commands/running.h"
#include "language/names.h"

/* A pass over the flows. */
struct pass {
	const struct flow_filter *filter;
	bool json;
	bool delete;
	const char *separator;
	uint64_t matching;
};

static bool has_ports(const struct flow *flow)
{
	return flow->source_port || flow->destination_port;
}

static const char *protocol_text(const struct flow *flow, char text[4])
{
	const char *name = name_of(&names_protocols, flow->protocol);

	if (!name)
		snprintf(text, 4, "%u", flow->protocol);
	return name ? name : text;
}

/* The interface may be gone: then its number is all that is known. */
static const char *interface_text(const struct flow *flow, char text[IF_NAMESIZE])
{
	if (!if_indextoname(flow->interface, text))
		snprintf(text, IF_NAMESIZE, "%" PRIu32, flow->interface);
	return text;
}

static void end_write(const struct flow *flow, const struct address *address, uint16_t port)
{
	bool brackets = has_ports(flow) && address->family == FW_INET6;
	char text[ADDRESS_TEXT_MAX];

	address_print(address, text);
	printf("%s%s%s", brackets ? "[" : "", text, brackets ? "]" : "");
	if (has_ports(flow))
		printf(":%u", port);
}

static void flow_write(const struct flow *flow)
{
	char protocol[4], interface[IF_NAMESIZE], age[DURATION_TEXT_MAX], left[DURATION_TEXT_MAX];
	const struct fw_counter *sent = &flow->sent[FW_FLOW_ORIGINATOR];
	const struct fw_counter *answered = &flow->sent[FW_FLOW_RESPONDER];

	duration_print(flow->age, age);
	duration_print(flow->left, left);
	printf("%-5s ", protocol_text(flow, protocol));
	end_write(flow, &flow->source, flow->source_port);
	printf(" > ");
	end_write(flow, &flow->destination, flow->destination_port);
	printf("  %s  age %s  left %s  packets %llu/%llu  bytes %llu/%llu  %s %s  rule %s\n",
	       flow_state_name(flow->state), flow->age ? age : "0s", left,
	       (unsigned long long)sent->packets, (unsigned long long)answered->packets,
	       (unsigned long long)sent->bytes, (unsigned long long)answered->bytes,
	       hook_name(flow->hook), interface_text(flow, interface),
	       flow->rule ? flow->rule : "(gone)");
}

static json_t *end_to_json(const struct flow *flow, const struct address *address, uint16_t port)
{
	char text[ADDRESS_TEXT_MAX];
	json_t *number = has_ports(flow) ? json_integer(port) : json_null();

	address_print(address, text);
	return json_told(json_pack("{s:s, s:o}", "address", text, "port", number));
}

static void flow_write_json(const struct flow *flow)
{
	char protocol[4], interface[IF_NAMESIZE];
	const struct fw_counter *sent = &flow->sent[FW_FLOW_ORIGINATOR];
	const struct fw_counter *answered = &flow->sent[FW_FLOW_RESPONDER];
	json_t *object = json_told(
		json_pack("{s:s, s:s, s:s, s:o, s:o, s:I, s:I, s:I, s:I, s:I, s:I, s:s, s:s, s:s?}",
			  "protocol", protocol_text(flow, protocol), "state",
			  flow_state_name(flow->state), "table", flow_table_name(flow->table),
			  "from", end_to_json(flow, &flow->source, flow->source_port), "to",
			  end_to_json(flow, &flow->destination, flow->destination_port), "age",
			  (json_int_t)flow->age, "left", (json_int_t)flow->left, "packets",
			  (json_int_t)sent->packets, "bytes", (json_int_t)sent->bytes,
			  "packets_back", (json_int_t)answered->packets, "bytes_back",
			  (json_int_t)answered->bytes, "hook", hook_name(flow->hook), "interface",
			  interface_text(flow, interface), "rule", flow->rule));

	json_dumpf(object, stdout, JSON_COMPACT);
	json_decref(object);
}

static enum flow_answer flow_meet(const struct flow *flow, void *data)
{
	struct pass *pass = data;

	if (!flow_filter_holds(pass->filter, flow))
		return FLOW_GO_ON;
	pass->matching++;
	if (pass->delete)
		return FLOW_DELETE;
	if (!pass->separator)
		return FLOW_GO_ON;
	if (pass->json) {
		fputs(pass->separator, stdout);
		flow_write_json(flow);
		pass->separator = ",\n ";
	} else {
		flow_write(flow);
	}
	/* Nobody reads any more, as of `fwctl flows | head`. */
	return ferror(stdout) ? FLOW_STOP : FLOW_GO_ON;
}

/* Opens what runs, and goes over its flows. A message if it does not come to the end. */
static enum exit_status pass_run(const struct context *context, struct pass *pass,
				 uint64_t *ret_deleted)
{
	struct dataplane *dataplane = pass->delete ? dataplane_open_running(context)
						   : dataplane_open_told(context, false);
	enum exit_status status = EXIT_DONE;

	if (!dataplane)
		return EXIT_FAILED;
	if (!flow_filter_check(pass->filter, context, dataplane)) {
		status = EXIT_USAGE;
	} else {
		if (pass->json && pass->separator)
			putchar('[');
		if (dataplane_flows_visit(dataplane, flow_meet, pass, ret_deleted)) {
			message_error("flows: %s", dataplane_error(dataplane));
			status = EXIT_FAILED;
		}
		if (pass->json && pass->separator)
			printf("\n]\n");
	}
	dataplane_close(&dataplane);
	return status;
}

static enum exit_status flows_list(const struct context *context, const struct flow_filter *filter,
				   bool json)
{
	struct pass pass = { .filter = filter, .json = json, .separator = "\n " };

	return pass_run(context, &pass, NULL);
}

static enum exit_status flows_delete(const struct context *context,
				     const struct flow_filter *filter)
{
	struct pass pass = { .filter = filter, .delete = true };
	uint64_t deleted = 0;
	enum exit_status status = pass_run(context, &pass, &deleted);

	if (status == EXIT_DONE)
		message_info("%" PRIu64 " flow%s deleted", deleted, deleted == 1 ? "" : "s");
	return status;
}

static enum exit_status flows_total(const struct context *context, bool json)
{
	struct dataplane *dataplane = dataplane_open_told(context, false);
	struct flow_totals totals;
	int error;

	if (!dataplane)
		return EXIT_FAILED;
	error = dataplane_flow_totals(dataplane, &totals);
	if (error)
		message_error("flows: %s", dataplane_error(dataplane));
	else if (json)
		json_write(flow_totals_to_json(&totals));
	else if (!totals.recording)
		printf("the running rules record no flows\n");
	else
		flow_totals_print(&totals);
	dataplane_close(&dataplane);
	return error ? EXIT_FAILED : EXIT_DONE;
}

static enum exit_status flows_count(const struct context *context, const struct flow_filter *filter,
				    bool json)
{
	struct pass pass = { .filter = filter };
	enum exit_status status;

	if (filter->is_empty)
		return flows_total(context, json);
	status = pass_run(context, &pass, NULL);
	if (status == EXIT_DONE)
		printf(json ? "{\"matching\": %" PRIu64 "}\n" : "%" PRIu64 "\n", pass.matching);
	return status;
}

static enum exit_status flows_do(const struct context *context, const char *verb,
				 const struct flow_filter *filter, bool json)
{
	if (!strcmp(verb, "count"))
		return flows_count(context, filter, json);
	if (!strcmp(verb, "delete") && filter->is_empty)
		return usage_error(context, "delete which? `fwctl flows flush` deletes all");
	if (!strcmp(verb, "flush") && !filter->is_empty)
		return usage_error(context, "flush deletes all flows; `fwctl flows delete` some");
	if (!strcmp(verb, "delete") || !strcmp(verb, "flush"))
		return flows_delete(context, filter);
	return flows_list(context, filter, json);
}

enum exit_status command_flows(struct context *context, int argc, char **argv)
{
	static const char *const verbs[] = { "list", "count", "delete", "flush" };
	bool json = false;
	const struct argument arguments[] = {
		{ "--json", 'j', ARGUMENT_FLAG, &json },
		{ 0 },
	};
	const char *verb = "list";
	struct flow_filter filter;
	enum exit_status status = EXIT_USAGE;

	if (!arguments_take(context, arguments, OPERANDS_ANYWHERE, &argc, argv))
		return EXIT_USAGE;
	for (size_t i = 0; argc && i < sizeof(verbs) / sizeof(verbs[0]); i++) {
		if (strcmp(argv[0], verbs[i]) != 0)
			continue;
		verb = verbs[i];
		argc--;
		argv++;
		break;
	}
	if (flow_filter_parse(context, argc, argv, &filter))
		status = flows_do(context, verb, &filter, json);
	flow_filter_free(&filter);
	return status;
}
