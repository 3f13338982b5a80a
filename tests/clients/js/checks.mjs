// Checks of @kubernetes/client-node, run by test_javascript.py:
//
//     node checks.mjs LIBRARY NAMESPACE KUBECONFIG CUT
//
// LIBRARY is where the client lies, KUBECONFIG leads through a relay that cuts all connections
// whenever somebody connects to port CUT. Each check is one function of its own; its outcome is
// one line of JSON.

import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import net from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable, Writable } from "node:stream";

const [library, namespace, kubeconfig, cutPort] = process.argv.slice(2);
const k8s = await import(library);

const config = new k8s.KubeConfig();
config.loadFromFile(kubeconfig);
const core = config.makeApiClient(k8s.CoreV1Api);
const apps = config.makeApiClient(k8s.AppsV1Api);

const configMap = (name, data, labels = { app: name }) => ({ metadata: { name, labels }, data });
const patched = (type) => k8s.setHeaderOptions("Content-Type", type);

async function eventually(what, probe) {
  for (const end = Date.now() + 60_000; Date.now() < end; ) {
    const found = await probe();
    if (found) return found;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  assert.fail(`${what} did not happen`);
}

/** Call and return the code and reason of the Status that it is refused with. */
async function refusal(promise) {
  const error = await promise.then(() => assert.fail("it was not refused"), (raised) => raised);
  assert.ok(error instanceof k8s.ApiException, String(error));
  return [error.code, JSON.parse(error.body).reason];
}

/** Remembers what is written to it. */
class Sink extends Writable {
  text = "";
  _write(chunk, _, done) {
    this.text += chunk;
    done();
  }
}

const cut = () =>
  new Promise((resolve) => net.connect(Number(cutPort), "127.0.0.1").on("close", resolve).resume());

const checks = {
  async create_get_list_replace_delete() {
    const made = await core.createNamespacedConfigMap({
      namespace,
      body: configMap("one", { a: "1" }),
    });
    await core.createNamespacedConfigMap({ namespace, body: configMap("two", { a: "2" }) });
    assert.ok(made.metadata.creationTimestamp instanceof Date);
    const chosen = await core.listNamespacedConfigMap({ namespace, labelSelector: "app in (two)" });
    assert.deepEqual(chosen.items.map((item) => item.metadata.name), ["two"]);
    const both = { namespace, labelSelector: "app" };
    const first = await core.listNamespacedConfigMap({ ...both, limit: 1 });
    const rest = await core.listNamespacedConfigMap({
      ...both,
      _continue: first.metadata._continue,
    });
    const names = [...first.items, ...rest.items].map((item) => item.metadata.name);
    assert.deepEqual(names, ["one", "two"]);
    made.data = { b: "3" };
    const replaced = await core.replaceNamespacedConfigMap({ namespace, name: "one", body: made });
    assert.deepEqual(replaced.data, { b: "3" });
    await core.deleteNamespacedConfigMap({ namespace, name: "one" });
    assert.deepEqual(
      await refusal(core.readNamespacedConfigMap({ namespace, name: "one" })),
      [404, "NotFound"],
    );
  },

  async every_kind_of_patch() {
    const named = { namespace, name: "patched" };
    await core.createNamespacedConfigMap({ namespace, body: configMap("patched", { a: "1" }) });
    const patch = (body, type, options = {}) =>
      core.patchNamespacedConfigMap({ ...named, body, ...options }, patched(type));
    const { JsonPatch, MergePatch, StrategicMergePatch, ServerSideApply } = k8s.PatchStrategy;
    const add = [{ op: "add", path: "/data/b", value: "2" }];
    assert.deepEqual((await patch(add, JsonPatch)).data, { a: "1", b: "2" });
    assert.deepEqual((await patch({ data: { a: null } }, MergePatch)).data, { b: "2" });
    const instead = { data: { $patch: "replace", c: "3" } };
    assert.deepEqual((await patch(instead, StrategicMergePatch)).data, { c: "3" });
    const wanted = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "patched" } };
    const applied = { ...wanted, data: { c: "4" } };
    const options = { fieldManager: "javascript" };
    assert.deepEqual(
      await refusal(patch(applied, ServerSideApply, options)),
      [409, "Conflict"],
    );
    const forced = await patch(applied, ServerSideApply, { ...options, force: true });
    assert.deepEqual(forced.data, { c: "4" });
  },

  async refusals() {
    const body = configMap("twice", {});
    const made = await core.createNamespacedConfigMap({ namespace, body });
    assert.deepEqual(
      await refusal(core.createNamespacedConfigMap({ namespace, body })),
      [409, "AlreadyExists"],
    );
    const named = { namespace, name: "twice" };
    const later = { data: { a: "1" } };
    await core.patchNamespacedConfigMap(
      { ...named, body: later },
      patched(k8s.PatchStrategy.MergePatch),
    );
    assert.deepEqual(
      await refusal(core.replaceNamespacedConfigMap({ ...named, body: made })),
      [409, "Conflict"],
    );
    assert.deepEqual(
      await refusal(core.createNamespacedConfigMap({ namespace, body: configMap("No_Name", {}) })),
      [422, "Invalid"],
    );
  },

  async objects_of_any_kind() {
    const client = k8s.KubernetesObjectApi.makeApiClient(config);
    const metadata = { name: "any", namespace };
    const spec = { apiVersion: "v1", kind: "Secret", metadata, stringData: { a: "b" } };
    await client.create(spec);
    const read = await client.read(spec);
    assert.deepEqual(read.data, { a: "Yg==" });
    const change = { ...spec, stringData: undefined, data: { c: "ZA==" } };
    const merged = await client.patch(
      change, undefined, undefined, undefined, undefined, k8s.PatchStrategy.MergePatch,
    );
    assert.deepEqual(merged.data, { a: "Yg==", c: "ZA==" });
    const listed = await client.list("v1", "Secret", namespace);
    assert.deepEqual(listed.items.map((item) => item.metadata.name), ["any"]);
    await client.delete(spec);
  },

  async a_watch_resumes_and_tells_of_versions_too_old() {
    const path = `/api/v1/namespaces/${namespace}/configmaps`;
    const body = configMap("watched", { a: "1" });
    const made = await core.createNamespacedConfigMap({ namespace, body });
    await core.deleteNamespacedConfigMap({ namespace, name: "watched" });
    const watch = new k8s.Watch(config);
    const seen = async (query, enough) => {
      const events = [];
      await new Promise((resolve, reject) => {
        let request;
        const done = (error) => (error && error.name !== "AbortError" ? reject(error) : resolve());
        const told = (phase, object) => {
          events.push([phase, object]);
          if (events.length === enough) request.then((controller) => controller.abort());
        };
        request = watch.watch(path, query, told, done);
      });
      return events;
    };
    const missed = await seen(
      { resourceVersion: made.metadata.resourceVersion, labelSelector: "app=watched" }, 1,
    );
    assert.equal(missed[0][0], "DELETED");
    const gone = await seen({ resourceVersion: "1" }, 1);
    assert.deepEqual([gone[0][0], gone[0][1].code], ["ERROR", 410]);
    const some = await seen({ timeoutSeconds: 1, fieldSelector: "metadata.name=none" }, 1);
    assert.deepEqual(some, []);
  },

  async an_informer_misses_nothing_when_its_connections_are_cut() {
    const labels = { kept: "yes" };
    const informer = k8s.makeInformer(
      config,
      `/api/v1/namespaces/${namespace}/configmaps`,
      () => core.listNamespacedConfigMap({ namespace, labelSelector: "kept=yes" }),
      "kept=yes",
    );
    const seen = [];
    const errors = [];
    for (const verb of ["add", "update", "delete"]) {
      informer.on(verb, (found) => seen.push([verb, found.data.a]));
    }
    informer.on("error", (error) => {
      errors.push(error);
      setImmediate(() => informer.start()); // its user's duty
    });
    await informer.start();
    const expected = [["add", "0"]];
    const told = () => JSON.stringify(seen) === JSON.stringify(expected);
    const named = { namespace, name: "kept" };
    const body = configMap("kept", { a: "0" }, labels);
    await core.createNamespacedConfigMap({ namespace, body });
    await eventually("the first event", told);
    for (const a of ["1", "2", "3"]) {
      await cut();
      const body = { data: { a } };
      await eventually("a change", () =>
        core.patchNamespacedConfigMap({ ...named, body }, patched(k8s.PatchStrategy.MergePatch))
          .then(() => true, (error) => error instanceof k8s.ApiException && assert.fail(error)));
      expected.push(["update", a]);
      await eventually(`the event of change ${a}`, told);
    }
    await core.deleteNamespacedConfigMap(named);
    expected.push(["delete", "3"]);
    await eventually("the end", told);
    assert.deepEqual(informer.list(), []);
    await informer.stop();
  },

  async a_pods_life_and_its_log() {
    const script = "echo one; sleep 1; echo two";
    const command = ["sh", "-c", script];
    const containers = [{ name: "main", image: "localhost/kuard:demo", command }];
    const spec = { containers, restartPolicy: "Never" };
    await core.createNamespacedPod({ namespace, body: { metadata: { name: "job" }, spec } });
    const named = { namespace, name: "job" };
    const phase = async () => (await core.readNamespacedPod(named)).status.phase;
    await eventually("a running Pod", async () => (await phase()) !== "Pending");
    const sink = new Sink();
    const end = new Promise((resolve) => sink.on("finish", resolve));
    await new k8s.Log(config).log(namespace, "job", "main", sink, { follow: true });
    await end;
    assert.equal(sink.text, "one\ntwo\n");
    assert.equal(await core.readNamespacedPodLog({ ...named, tailLines: 1 }), "two\n");
    await eventually("success", async () => (await phase()) === "Succeeded");
    const fieldSelector = "involvedObject.name=job,reason=Scheduled";
    const told = async () => (await core.listNamespacedEvent({ namespace, fieldSelector })).items;
    await eventually("an event", async () => (await told()).length === 1);
    await core.deleteNamespacedPod({ ...named, gracePeriodSeconds: 0 });
  },

  async ways_into_a_pod() {
    const named = { namespace, name: "web" };
    const spec = { containers: [{ name: "main", image: "localhost/kuard:demo" }] };
    await core.createNamespacedPod({ namespace, body: { metadata: { name: "web" }, spec } });
    const running = async () => (await core.readNamespacedPod(named)).status.phase === "Running";
    await eventually("a running Pod", running);

    const [output, errors] = [new Sink(), new Sink()];
    const words = "words ".repeat(50_000);
    const input = Readable.from([words]);
    const command = ["sh", "-c", "head -c 300000; echo err >&2; exit 7"];
    const status = await new Promise((resolve, reject) => {
      new k8s.Exec(config)
        .exec(namespace, "web", "main", command, output, errors, input, false, resolve)
        .catch(reject);
    });
    assert.equal(status.details.causes[0].message, "7");
    assert.deepEqual([output.text, errors.text], [words, "err\n"]);

    const run = (command, sink, source, tty) =>
      new Promise((resolve, reject) => {
        new k8s.Exec(config)
          .exec(namespace, "web", "main", command, sink, errors, source, tty, resolve)
          .catch(reject);
      });
    const terminal = new Sink();
    const asks = ["sh", "-c", "tty; read line; echo got $line"];
    await run(asks, terminal, Readable.from(["words\n"]), true);
    assert.match(terminal.text, /\/dev\/pts\/\d+\r\n[^]*got words\r\n/);

    const attached = new Sink();
    const attaching = new k8s.Attach(config);
    const socket = await attaching.attach(namespace, "web", "main", attached, errors, null, false);
    await eventually("what it wrote", async () => { // the first may come before who is attached
      await run(["sh", "-c", "echo attached > /proc/1/fd/1"], output, null, false);
      return attached.text.includes("attached\n");
    });
    socket.close();

    const there = await mkdtemp(join(tmpdir(), "copied-"));
    await writeFile(join(there, "page"), "copied\n");
    const cp = new k8s.Cp(config);
    await cp.cpToPod(namespace, "web", "main", there, "/www");
    const forward = new k8s.PortForward(config);
    const server = net.createServer((socket) => {
      forward.portForward(namespace, "web", [8080], socket, null, socket);
    });
    await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
    const page = await eventually("the page", async () => {
      const url = `http://127.0.0.1:${server.address().port}/page`;
      const answer = await fetch(url).catch(() => ({ ok: false })); // it may not listen yet
      return answer.ok && answer.text();
    });
    assert.equal(page, "copied\n");
    server.close();
    await rm(there, { recursive: true });
  },

  async subresources_and_tokens() {
    const labels = { a: "b" };
    const containers = [{ name: "main", image: "localhost/kuard:demo" }];
    const template = { metadata: { labels }, spec: { containers } };
    const spec = { selector: { matchLabels: labels }, template };
    await apps.createNamespacedDeployment({ namespace, body: { metadata: { name: "web" }, spec } });
    const named = { namespace, name: "web" };
    const scale = await apps.readNamespacedDeploymentScale(named);
    scale.spec.replicas = 3;
    const scaled = await apps.replaceNamespacedDeploymentScale({ ...named, body: scale });
    assert.equal(scaled.spec.replicas, 3);
    await core.createNamespacedServiceAccount({ namespace, body: { metadata: { name: "robot" } } });
    const asked = { spec: { audiences: [], expirationSeconds: 600 } };
    const { status } = await core.createNamespacedServiceAccountToken({
      namespace,
      name: "robot",
      body: asked,
    });
    const robot = new k8s.KubeConfig();
    const user = { name: "robot", token: status.token };
    robot.loadFromClusterAndUser(config.getCurrentCluster(), user);
    assert.deepEqual(
      await refusal(robot.makeApiClient(k8s.CoreV1Api).listNamespacedSecret({ namespace })),
      [403, "Forbidden"],
    );
  },

  async who_is_not_known_and_who_is_not_trusted() {
    const cluster = config.getCurrentCluster();
    const stranger = new k8s.KubeConfig();
    stranger.loadFromClusterAndUser(cluster, { name: "stranger" });
    await assert.rejects(stranger.makeApiClient(k8s.CoreV1Api).listNamespace(), { code: 401 });
    assert.equal((await stranger.makeApiClient(k8s.VersionApi).getCode()).minor, "37");
    stranger.loadFromClusterAndUser({ ...cluster, caData: undefined }, { name: "stranger" });
    await assert.rejects(stranger.makeApiClient(k8s.VersionApi).getCode(), /self[- ]signed/);
  },
};

for (const [name, check] of Object.entries(checks)) {
  const error = await check().then(() => "", (raised) => raised.stack ?? String(raised));
  console.log(JSON.stringify({ name, error }));
}
process.exit(0);
