import t from "tap";
import { reasonOf } from "../../../scripts/read-reasons.js";

const cases: readonly (readonly [string, string])[] = [
  ['keyword of a play "roles" is not supported', "roles"],
  ['module "ansible.builtin.include_role" is not supported', "roles"],
  ['unknown module "reboot"', "module reboot"],
  ['unknown keyword or module "ansible.builtin.authorized_key"', "module authorized_key"],
  ['keyword of a task "with_items" is not supported', "keyword with_items"],
  ['keyword or module "with_file" is not supported', "keyword with_file"],
  ['keyword of a play "remote_user" is not supported', "keyword of a play: remote_user"],
  ['unknown argument of apt "upgrade"', "argument upgrade of apt"],
  ['uri does not take "body" here', "argument body of uri"],
  ['the filter "from_yaml" is not supported', "filter from_yaml"],
  ["the file vars.yml does not exist", "a file that is not there"],
  ["the arguments of apt must be a mapping", "key=value arguments"],
  ['"no" is none of the choices of "state"', "… is none of the choices of …"],
];

t.test("messages of the loader, by class", async (t) => {
  for (const [message, reason] of cases) t.equal(reasonOf(message), reason, message);
});
