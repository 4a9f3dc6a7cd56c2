"""Runs inside the environment of the official SDKs, which are used as they are. Reads what to call as JSON from
stdin, prints the answers (or the SDK's exception) as JSON: {"name": {"ok": …} | {"error": {status, code, message}}}.
"""
import json
import sys
import time

from alibabacloud_cr20181201 import models as cr_models
from alibabacloud_cr20181201.client import Client as CrClient
from alibabacloud_sas20181203 import models as sas_models
from alibabacloud_sas20181203.client import Client as SasClient
from alibabacloud_tea_openapi.models import Config
from huaweicloudsdkcore.auth.credentials import BasicCredentials, GlobalCredentials
from huaweicloudsdkcore.exceptions.exceptions import ServiceResponseException
from huaweicloudsdkcore.http.http_config import HttpConfig
from huaweicloudsdkcore.region.region import Region
from huaweicloudsdkhss.v5 import HssClient, ListAssociateRegistriesRequest, ListRegistryImagesRequest
from huaweicloudsdkiam.v3 import IamClient, KeystoneListProjectsRequest
from huaweicloudsdkswr import v2 as swr
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


def until(ask, good):
    """What is asked, again and again until it is good or it has taken far too long."""
    deadline = time.monotonic() + 60
    while True:
        answer = ask()
        if good(answer) or time.monotonic() > deadline:
            return answer
        time.sleep(0.2)


def image_retention(client, of):
    """The basic edition's retention of one image, from its creation to its end."""
    def rule(kind, params, *selectors):
        return swr.Rule(template=kind, params=params, tag_selectors=[swr.TagSelector(*one) for one in selectors])

    made = client.create_retention(swr.CreateRetentionRequest(**of, body=swr.CreateRetentionRequestBody(
        algorithm="or", rules=[rule("tag_rule", {"num": "1"}, ("label", "v1"), ("regexp", "^rc-"))]))).id
    listed = client.list_retentions(swr.ListRetentionsRequest(**of)).to_dict()["body"]
    history = until(lambda: client.list_retention_histories(swr.ListRetentionHistoriesRequest(
        **of, limit="10", offset="0")).to_dict(), lambda answer: answer["total"] == 2)
    client.update_retention(swr.UpdateRetentionRequest(**of, retention_id=made, body=swr.UpdateRetentionRequestBody(
        algorithm="or", rules=[rule("date_rule", {"days": "30"}, ("label", "v1"))])))
    shown = client.show_retention(swr.ShowRetentionRequest(**of, retention_id=made)).to_dict()
    refused = told(lambda: client.update_retention(swr.UpdateRetentionRequest(
        **of, retention_id=made, body=swr.UpdateRetentionRequestBody(
            algorithm="or", rules=[rule("date_rule", {"days": "366"})]))))
    client.delete_retention(swr.DeleteRetentionRequest(**of, retention_id=made))
    gone = told(lambda: client.show_retention(swr.ShowRetentionRequest(**of, retention_id=made)).to_dict())
    return {"listed": listed, "history": history, "shown": shown, "refused": refused, "gone": gone}


def namespace_retention(client, of):
    """The enterprise edition's retention policy of a namespace, with an execution."""
    def body(kind, keep, trigger):
        selector = [swr.RetentionSelector(kind="doublestar", decoration="matches", pattern="**")]
        scope = {"repository": [swr.RetentionSelector(kind="doublestar", decoration="repoMatches", pattern="**")]}
        return kind(algorithm="or", enabled=True, name="keep", trigger=trigger, rules=[swr.RetentionRule(
            priority=0, action="retain", template="latestPushedK", params={"latestPushedK": keep},
            tag_selectors=selector, scope_selectors=scope, repo_scope_mode="regular")])

    manual = swr.TriggerConfig(type="manual")
    daily = swr.TriggerConfig(type="scheduled", trigger_settings=swr.TriggerSetting(cron="0 0 3 * * ?"))
    of = dict(of, policy_id=client.create_instance_retention_policy(swr.CreateInstanceRetentionPolicyRequest(
        **of, body=body(swr.CreateRetentionPolicyRequestBody, 9, manual))).id)
    client.update_instance_retention_policy(swr.UpdateInstanceRetentionPolicyRequest(
        **of, body=body(swr.UpdateRetentionPolicyRequestBody, 1, daily)))
    shown = client.show_instance_retention_policy(swr.ShowInstanceRetentionPolicyRequest(**of)).to_dict()
    listed = client.list_instance_retention_policies(swr.ListInstanceRetentionPoliciesRequest(
        instance_id=of["instance_id"])).to_dict()
    run = client.execute_instance_retention_policy(swr.ExecuteInstanceRetentionPolicyRequest(
        **of, body=swr.ExecuteRetentionPolicyRequestBody(dry_run=True))).id
    executions = until(lambda: client.list_instance_retention_policy_executions(
        swr.ListInstanceRetentionPolicyExecutionsRequest(**of)).to_dict()["executions"],
        lambda rows: rows[0]["status"] != "InProgress")
    tasks = client.list_instance_retention_policy_exec_tasks(swr.ListInstanceRetentionPolicyExecTasksRequest(
        **of, execution_id=run)).to_dict()["tasks"]
    parts = client.list_instance_retention_policy_exec_sub_tasks(
        swr.ListInstanceRetentionPolicyExecSubTasksRequest(
            **of, execution_id=run, task_id=tasks[0]["id"])).to_dict()["sub_tasks"]
    client.delete_instance_retention_policy(swr.DeleteInstanceRetentionPolicyRequest(**of))
    return {"shown": shown, "listed": listed, "executions": executions, "tasks": tasks, "parts": parts}


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

    def artifacts():
        """Pages of charts, of images and of tags: the digests, and the total."""
        client = huawei(order, SwrClient)

        def page(**query):
            answer = client.list_instance_artifacts(swr.ListInstanceArtifactsRequest(
                instance_id=ids["swr_instance"], namespace_name=ids["kept"], repository_name="app", **query)).to_dict()
            return [len(answer["artifacts"]), answer["total"]]
        return [page(limit=2, offset=0, type="IMAGE"), page(limit=2, offset=0, type="CHART"),
                page(limit=1, offset=0, tags="v1,v2,none")]

    def immutable_namespace():
        """What the namespace says of itself, made immutable and let go again."""
        client, answers = alibaba(order, CrClient), []
        name = {"instance_id": ids["instance"], "namespace_name": ids["kept"]}
        for wanted in (True, False):
            client.update_namespace(cr_models.UpdateNamespaceRequest(
                **name, default_repo_configuration=cr_models.RepoConfiguration(
                    repo_type="PRIVATE", tag_immutability=wanted)))
            answer = client.get_namespace(cr_models.GetNamespaceRequest(**name)).body.to_map()
            answers.append(answer["DefaultRepoConfiguration"]["TagImmutability"])
        return answers

    def scanned_images():
        images = huawei(order, HssClient).list_registry_images(ListRegistryImagesRequest(limit=200, offset=0)).to_dict()
        return {f"{row['namespace']}/{row['image_name']}:{row['image_version']}": row["scan_status"]
                for row in images["data_list"]}

    def projects():
        login = GlobalCredentials(order["key"], order["secret"], order["domain"])
        client = IamClient.new_builder().with_credentials(login).with_endpoint("http://" + order["address"]).build()
        return client.keystone_list_projects(KeystoneListProjectsRequest()).to_dict()

    return {"GetRepoBuildRecord": record, "GetRepoTagScanStatus": scan, "PageImageRegistry": registries,
            "GetRepoBuildRecord.v1": lambda: record("v2"), "GetRepoTagScanStatus.v1": lambda: scan("v2"),
            "PageImageRegistry.v1": lambda: registries("v2"), "ListInstanceSignPolicyExecTasks": sign_tasks,
            "ListAssociateRegistries": sync_registries, "ImmutableRules": immutable_rules,
            "Artifacts": artifacts, "TagImmutability": immutable_namespace, "ScannedImages": scanned_images,
            "NamespaceRetention": lambda: namespace_retention(huawei(order, SwrClient), {
                "instance_id": ids["swr_instance"], "namespace_name": ids["kept"]}),
            "ImageRetention": lambda: image_retention(huawei(order, SwrClient), {
                "namespace": ids["kept"], "repository": "app"}),
            "ListAssociateRegistries.region": lambda: sync_registries(by_region(order)), "projects": projects}


if __name__ == "__main__":
    orders = json.load(sys.stdin)
    chosen = {name: told(function) for name, function in calls(orders).items()
              if name.endswith("Retention") == orders["retention"]}
    print(json.dumps(chosen, default=str))
