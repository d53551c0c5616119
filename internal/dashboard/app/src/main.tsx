import { render } from "preact";
import { App } from "./app";
import { open } from "./core/session";
import "./styles/base.css";
import "./styles/layout.css";
import "./styles/parts.css";

const root = document.getElementById("app");
if (root) render(<App />, root);
void open();
