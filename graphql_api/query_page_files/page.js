"use strict";

// The query page. Put an access key into the Headers tab; it stays in this tab's memory and is not stored.
// The page's address may carry a query (?query=…), to share one.

const DEFAULT_QUERY = `# loan-registry: write a query, press Ctrl-Enter.
# Open "Headers" below and put your access key there; the schema is in the book icon on the left.

query Loans {
  viewer { name role }
  chain { indexed final queued }
  loans(first: 5) {
    totalCount
    edges {
      node {
        loanKey
        status
        lender { name }
        outstanding { text }
        daysPastDue
        verification
        anchor { state blockNumber confirmations }
        records(first: 3) {
          edges { node { sequence kind amount { text } anchor { state transactionHash } } }
        }
      }
    }
    pageInfo { hasNextPage endCursor }
  }
}
`;

const DEFAULT_HEADERS = JSON.stringify({ Authorization: "Bearer lrk_put-your-access-key-here" }, null, 2);

const shared = new URLSearchParams(window.location.search);

async function fetcher(params, options) {
  const response = await fetch("/graphql", {
    method: "POST",
    headers: { "Content-Type": "application/json", Accept: "application/json", ...(options?.headers ?? {}) },
    body: JSON.stringify(params),
  });
  return response.json();
}

ReactDOM.createRoot(document.getElementById("page")).render(
  React.createElement(GraphiQL, {
    fetcher,
    defaultQuery: DEFAULT_QUERY,
    query: shared.get("query") ?? undefined,
    defaultHeaders: DEFAULT_HEADERS,
    defaultEditorToolsVisibility: "headers",
    isHeadersEditorEnabled: true,
    shouldPersistHeaders: false,
  }),
);
