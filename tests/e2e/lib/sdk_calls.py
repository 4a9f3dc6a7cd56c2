"""Runs inside the environment of the official SDKs, which are used as they are. Reads what to call as JSON from
stdin, prints the answers (or the SDK's exception) as JSON: {"name": {"ok": …} | {"error": {status, code, message}}}.
"""
import json
import sys

from alibabacloud_cr20181201 import models as cr_models
from alibabacloud_cr20181201.client import Client as CrClient
from alibabacloud_sas20181203 import models as sas_models
from alibabacloud_sas20181203.client import Client as SasClient
from alibabacloud_tea_openapi.models import Config
from huaweicloudsdkcore.auth.credentials import BasicCredentials, GlobalCredentials
from huaweicloudsdkcore.exceptions.exceptions import ServiceResponseException
from huaweicloudsdkcore.http.http_config import HttpConfig
from huaweicloudsdkcore.region.region import Region
from huaweicloudsdkhss.v5 import HssClient, ListAssociateRegistriesRequest
from huaweicloudsdkiam.v3 import IamClient, KeystoneListProjectsRequest
from huaweicloudsdkswr.v2 import (CreateImmutableRuleBody, CreateImmutableRuleRequest, DeleteImmutableRuleRequest,
                                  ListImmutableRulesRequest, ListInstanceSignPolicyExecTasksRequest, RuleSelector,
                                  SwrClient, UpdateImmutableRuleBody, UpdateImmutableRuleRequest)


def told(function):
    try:
        return {"ok": function()}
    except ServiceResponseException as fault:
        return {"error": {"status": fault.status_code, "code": fault.error_code, "message": fault.error_msg}}
    except Exception as fault:  # noqa: BLE001 - the test judges it
        status = getattr(fault, "status_code", getattr(fault, "statusCode", None))
        return {"error": {"status": status, "code": getattr(fault, "code", None), "message": str(fault)}}


def alibaba(order, client, algorithm=None):
    config = Config(access_key_id=order["key"], access_key_secret=order["secret"], endpoint=order["address"],
                    protocol="HTTP")
    if algorithm:
        config.signature_algorithm = algorithm
    return client(config)


def huawei(order, builder):
    login = BasicCredentials(order["key"], order["secret"], order["project"])
    return builder.new_builder().with_credentials(login).with_http_config(HttpConfig.get_default_config()) \
        .with_endpoint("http://" + order["address"]).build()


def by_region(order):
    """No project id: the SDK asks our IAM for the region's project first."""
    url = "http://" + order["address"]
    login = BasicCredentials(order["key"], order["secret"]).with_iam_endpoint(url)
    return HssClient.new_builder().with_credentials(login).with_region(Region(order["region"], url)).build()


def calls(order):
    ids = order["ids"]

    def record(algorithm=None):
        request = cr_models.GetRepoBuildRecordRequest(instance_id=ids["instance"], build_record_id=ids["record"])
        return alibaba(order, CrClient, algorithm).get_repo_build_record(request).body.to_map()

    def scan(algorithm=None):
        request = cr_models.GetRepoTagScanStatusRequest(instance_id=ids["instance"], repo_id=ids["repo"], tag=ids["tag"])
        return alibaba(order, CrClient, algorithm).get_repo_tag_scan_status(request).body.to_map()

    def registries(algorithm=None):
        request = sas_models.PageImageRegistryRequest(current_page=1, page_size=20,
                                                      registry_type_in_list=["acr", "harbor", "CI/CD"])
        return alibaba(order, SasClient, algorithm).page_image_registry(request).body.to_map()

    def sign_tasks():
        request = ListInstanceSignPolicyExecTasksRequest(
            instance_id=ids["swr_instance"], namespace_name=ids["namespace"], policy_id=ids["policy"],
            execution_id=ids["execution"], offset=0, limit=10)
        return huawei(order, SwrClient).list_instance_sign_policy_exec_tasks(request).to_dict()

    def sync_registries(client=None):
        request = ListAssociateRegistriesRequest(task_id=ids["task"], offset=0, limit=10,
                                                 enterprise_project_id="all_granted_eps")
        return (client or huawei(order, HssClient)).list_associate_registries(request).to_dict()

    def immutable_rules():
        """A rule from its creation to its end: what the list said meanwhile."""
        client, space = huawei(order, SwrClient), {"instance_id": ids["swr_instance"], "namespace_name": ids["namespace"]}

        def body(kind, tags):
            return kind(tag_selectors=[RuleSelector(kind="doublestar", decoration="matches", pattern=tags)],
                        scope_selectors={"repository": [RuleSelector(kind="doublestar", decoration="repoMatches",
                                                                     pattern="**")]})

        def listed():
            return client.list_immutable_rules(ListImmutableRulesRequest(instance_id=ids["swr_instance"])).to_dict()

        rule = client.create_immutable_rule(CreateImmutableRuleRequest(
            **space, body=body(CreateImmutableRuleBody, "release-*"))).id
        answers = [listed()]
        client.update_immutable_rule(UpdateImmutableRuleRequest(
            **space, immutable_rule_id=rule, body=body(UpdateImmutableRuleBody, "v*")))
        answers.append(listed())
        client.delete_immutable_rule(DeleteImmutableRuleRequest(**space, immutable_rule_id=rule))
        return answers + [listed()]

    def projects():
        login = GlobalCredentials(order["key"], order["secret"], order["domain"])
        client = IamClient.new_builder().with_credentials(login).with_endpoint("http://" + order["address"]).build()
        return client.keystone_list_projects(KeystoneListProjectsRequest()).to_dict()

    return {"GetRepoBuildRecord": record, "GetRepoTagScanStatus": scan, "PageImageRegistry": registries,
            "GetRepoBuildRecord.v1": lambda: record("v2"), "GetRepoTagScanStatus.v1": lambda: scan("v2"),
            "PageImageRegistry.v1": lambda: registries("v2"), "ListInstanceSignPolicyExecTasks": sign_tasks,
            "ListAssociateRegistries": sync_registries, "ImmutableRules": immutable_rules,
            "ListAssociateRegistries.region": lambda: sync_registries(by_region(order)), "projects": projects}


if __name__ == "__main__":
    orders = json.load(sys.stdin)
    print(json.dumps({name: told(function) for name, function in calls(orders).items()}, default=str))
