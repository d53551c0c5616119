import { Page } from "../ui/page";

export function NotFoundPage() {
  return (
    <Page title="No such page">
      <p>
        The address leads nowhere. <a href="#/">To the overview</a>
      </p>
    </Page>
  );
}
