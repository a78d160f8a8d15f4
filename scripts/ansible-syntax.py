"""Prints those playbooks, of the paths on stdin, that ansible-core itself cannot load."""

import os
import re
import sys

from ansible.errors import AnsibleError
from ansible.inventory.manager import InventoryManager
from ansible.parsing.dataloader import DataLoader
from ansible.playbook import Playbook
from ansible.utils.display import Display
from ansible.vars.manager import VariableManager

# What is not on this machine is no mistake of the playbook.
NOT_HERE = re.compile(r"couldn't resolve module/action|role '.*' was not found|Could not find or access|Unable to retrieve file")

Display.warning = Display.deprecated = lambda *_args, **_kwargs: None


def refused(path):
    loader = DataLoader()
    loader.set_basedir(os.path.dirname(path))
    inventory = InventoryManager(loader=loader, sources=["localhost,"])
    try:
        Playbook.load(path, variable_manager=VariableManager(loader=loader, inventory=inventory), loader=loader)
    except AnsibleError as error:
        return NOT_HERE.search(str(error)) is None
    except Exception:
        return True
    return False


for line in sys.stdin.read().splitlines():
    if line and refused(line):
        print(line)
