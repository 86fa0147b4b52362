// What script adds to pages that work without it.
import { keepForms } from "./keep.js";
import { guardForms } from "./submit.js";
import { dialogs, confirmations } from "./dialogs.js";
import { keys } from "./keys.js";
import { reader } from "./reader.js";
import { small } from "./small.js";
import { installable } from "./installable.js";

const keeper = keepForms();
guardForms(keeper);
confirmations();
dialogs();
keys();
reader();
small();
installable();
