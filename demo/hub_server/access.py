"""Who may see and change what: accounts by token, private and gated repositories."""

from __future__ import annotations

from dataclasses import dataclass

from demo.hub_server.store import HubError, Repo, Store

NO_LOGIN = "Invalid username or password."
BAD_TOKEN = "Invalid credentials in Authorization header"  # the client compares this text


@dataclass(frozen=True)
class Account:
    """What a token stands for: a user, and the role `write` or `read`."""

    user: str
    role: str


class Access:
    """Answers for one store.

    `accounts` is asked anew each time, so that removing a token revokes it.
    """

    def __init__(self, store: Store, accounts: dict[str, Account]) -> None:
        self.store, self.accounts = store, accounts

    def account(self, authorization: str | None) -> Account | None:
        """Whose request it is, or None without a token.

        Raises HubError 401 for a token that is unknown or revoked.
        """
        if not authorization:
            return None
        token = authorization.removeprefix("Bearer ")
        if token not in self.accounts:
            raise HubError(401, BAD_TOKEN)
        return self.accounts[token]

    def login(self, authorization: str | None) -> Account:
        account = self.account(authorization)
        if account is None:
            raise HubError(401, NO_LOGIN)
        return account

    def see(self, repo_id: str, authorization: str | None) -> Repo:
        """The repository; to strangers a private one looks missing, as on the real Hub."""
        account = self.account(authorization)
        repo = self.store.get(repo_id)
        if repo and (not repo.private or (account and account.user == repo.owner)):
            return repo
        if account is None:
            raise HubError(401, NO_LOGIN, "RepoNotFound")
        raise HubError(404, "Repository not found", "RepoNotFound")

    def read_files(self, repo_id: str, authorization: str | None) -> Repo:
        """The repository, if its files may be read; what a gated one holds is listed to all."""
        repo = self.see(repo_id, authorization)
        account = self.account(authorization)
        if not repo.gated or (account and account.user in (repo.owner, *repo.granted)):
            return repo
        status, advice = (403, "ask for access on its page") if account else (401, "log in")
        raise HubError(status, f"Access to model {repo.id} is restricted: {advice}.", "GatedRepo")

    def write(self, repo_id: str, authorization: str | None) -> Account:
        """The account, if it may change the repository."""
        account = self.login(authorization)
        repo = self.see(repo_id, authorization)
        self.check_write(account, repo.owner)
        return account

    def check_write(self, account: Account, namespace: str) -> None:
        if account.role != "write" or account.user != namespace:
            raise HubError(
                403,
                f"the {account.role} token of {account.user} may not write to {namespace}; use one"
                " that may.",
            )
