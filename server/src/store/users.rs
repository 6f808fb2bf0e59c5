//! Users: one log-in each. A user has one home, the company that made them or that they made, and may
//! be a member of workspaces of any company.

use glasshour_protocol::CompanyId;
use sqlx::FromRow;

use super::column::{Text, word_enum};
use super::{Db, Read, StoreError, Write, on, on_pool};

word_enum! {
    /// What a user is in their home company.
    CompanyRole, "`owner`, `admin` or `none`" {
        /// The company account.
        Owner => "owner",
        /// Acts for the company account.
        Admin => "admin",
        /// Nothing but a user.
        None => "none",
    }
}

word_enum! {
    /// Whether a user has an account that lets in (rules 29 to 32, 43).
    UserStatus, "`not_yet_active`, `active` or `inactive`" {
        /// A record only: no account, no seat.
        NotYetActive => "not_yet_active",
        /// An account, and a seat.
        Active => "active",
        /// Blocked: no seat.
        Inactive => "inactive",
    }
}

/// What `validation_result` says when all is well (rule 34).
pub const VALIDATION_OK: &str = "OK";

/// One log-in.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct User {
    /// Their home.
    #[sqlx(try_from = "Text<CompanyId>")]
    pub company_id: CompanyId,
    /// Their id.
    pub user_id: String,
    /// The "User ID" of the form: lower case, unique across the server.
    pub login: String,
    /// Lower case; unique across the server.
    pub email: String,
    /// First name.
    pub first_name: String,
    /// Last name; may be empty.
    pub last_name: String,
    /// Argon2id, PHC string; `None` until they chose a password.
    pub password_hash: Option<String>,
    /// What they are in their home company.
    #[sqlx(try_from = "Text<CompanyRole>")]
    pub role: CompanyRole,
    /// Whether the account lets in.
    #[sqlx(try_from = "Text<UserStatus>")]
    pub status: UserStatus,
    /// `OK`, or what to do (rules 34 and 35).
    pub validation_result: String,
    /// UTC milliseconds.
    pub created_at: i64,
    /// UTC milliseconds.
    pub updated_at: i64,
}

impl User {
    /// First and last name, as the console greets.
    pub fn name(&self) -> String {
        format!("{} {}", self.first_name, self.last_name)
            .trim()
            .to_owned()
    }

    /// Whether the account lets in.
    pub fn is_active(&self) -> bool {
        self.status == UserStatus::Active
    }

    /// Whether they act for their home company as a whole.
    pub fn is_company_account(&self) -> bool {
        self.role != CompanyRole::None
    }
}

/// Which users, in the order of their e-mail addresses.
#[derive(Clone, Debug, Default)]
pub struct UserFilter {
    /// Only those that sort behind this address.
    pub after: Option<String>,
    /// At most so many.
    pub limit: u32,
}

#[derive(FromRow)]
struct HomeRow {
    #[sqlx(try_from = "Text<CompanyId>")]
    company_id: CompanyId,
}

impl Db {
    /// The home company of the user with that e-mail address, which must be lower case already.
    pub async fn find_home(&self, email: &str) -> Result<Option<CompanyId>, StoreError> {
        const SQL: &str = "SELECT company_id FROM users WHERE email = $1";
        let row: Option<HomeRow> =
            on_pool!(self, pool => sqlx::query_as(SQL).bind(email).fetch_optional(pool).await)?;
        Ok(row.map(|row| row.company_id))
    }
}

impl Read {
    /// An own user by id.
    pub async fn user(&mut self, user_id: &str) -> Result<Option<User>, StoreError> {
        const SQL: &str = "SELECT company_id, user_id, login, email, first_name, last_name, \
            password_hash, role, status, validation_result, created_at, updated_at \
            FROM users WHERE company_id = $1 AND user_id = $2";
        Ok(on!(self, c => sqlx::query_as(SQL)
            .bind(&self.company).bind(user_id).fetch_optional(c).await)?)
    }

    /// A user of any company by e-mail address, which must be lower case already: addresses are unique
    /// across the server (rule 40).
    pub async fn user_by_email(&mut self, email: &str) -> Result<Option<User>, StoreError> {
        const SQL: &str = "SELECT company_id, user_id, login, email, first_name, last_name, \
            password_hash, role, status, validation_result, created_at, updated_at \
            FROM users WHERE email = $1";
        Ok(on!(self, c => sqlx::query_as(SQL).bind(email).fetch_optional(c).await)?)
    }

    /// A user in the company's list: its own, and those of other companies who have a right in one of
    /// its workspaces (rules 37 and 44).
    pub async fn listed_user(&mut self, user_id: &str) -> Result<Option<User>, StoreError> {
        const SQL: &str = "SELECT u.company_id, u.user_id, u.login, u.email, u.first_name, \
            u.last_name, u.password_hash, u.role, u.status, u.validation_result, u.created_at, \
            u.updated_at FROM users u WHERE u.user_id = $2 AND (u.company_id = $1 OR EXISTS \
              (SELECT 1 FROM members m WHERE m.company_id = $1 AND m.home_id = u.company_id \
               AND m.user_id = u.user_id AND m.accepted_at IS NOT NULL AND m.status <> 'deleted'))";
        Ok(on!(self, c => sqlx::query_as(SQL)
            .bind(&self.company).bind(user_id).fetch_optional(c).await)?)
    }

    /// The company's list of users, by e-mail address.
    pub async fn listed_users(&mut self, filter: &UserFilter) -> Result<Vec<User>, StoreError> {
        const SQL: &str = "SELECT u.company_id, u.user_id, u.login, u.email, u.first_name, \
            u.last_name, u.password_hash, u.role, u.status, u.validation_result, u.created_at, \
            u.updated_at FROM users u WHERE u.email > $2 AND (u.company_id = $1 OR EXISTS \
              (SELECT 1 FROM members m WHERE m.company_id = $1 AND m.home_id = u.company_id \
               AND m.user_id = u.user_id AND m.accepted_at IS NOT NULL AND m.status <> 'deleted')) \
            ORDER BY u.email LIMIT $3";
        let after = filter.after.clone().unwrap_or_default();
        Ok(on!(self, c => sqlx::query_as(SQL)
            .bind(&self.company).bind(after).bind(i64::from(filter.limit)).fetch_all(c).await)?)
    }

    /// How many seats are in use: the company's own active users (rule 31).
    pub async fn seats_used(&mut self) -> Result<u64, StoreError> {
        const SQL: &str = "SELECT COUNT(*) FROM users WHERE company_id = $1 AND status = 'active'";
        let (count,): (i64,) =
            on!(self, c => sqlx::query_as(SQL).bind(&self.company).fetch_one(c).await)?;
        Ok(u64::try_from(count).unwrap_or(0))
    }

    /// The user who stands for the company: who owns what a script makes.
    pub async fn company_owner(&mut self) -> Result<Option<User>, StoreError> {
        const SQL: &str = "SELECT company_id, user_id, login, email, first_name, last_name, \
            password_hash, role, status, validation_result, created_at, updated_at \
            FROM users WHERE company_id = $1 AND role = 'owner' ORDER BY created_at, user_id LIMIT 1";
        Ok(on!(self, c => sqlx::query_as(SQL).bind(&self.company).fetch_optional(c).await)?)
    }
}

impl Write {
    /// Makes a user; [`StoreError::Taken`] where the User ID or the address is in use.
    pub async fn insert_user(&mut self, user: &User) -> Result<(), StoreError> {
        const SQL: &str = "INSERT INTO users (company_id, user_id, login, email, first_name, \
            last_name, password_hash, role, status, validation_result, created_at, updated_at) \
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)";
        on!(self.0, c => sqlx::query(SQL)
            .bind(&self.0.company).bind(&user.user_id).bind(&user.login).bind(&user.email)
            .bind(&user.first_name).bind(&user.last_name).bind(&user.password_hash)
            .bind(user.role.as_str()).bind(user.status.as_str()).bind(&user.validation_result)
            .bind(user.created_at).bind(user.updated_at)
            .execute(c).await.map(drop))?;
        Ok(())
    }

    /// Changes everything about a user but the id, the home and the password.
    pub async fn update_user(&mut self, user: &User) -> Result<(), StoreError> {
        const SQL: &str = "UPDATE users SET login = $3, email = $4, first_name = $5, \
            last_name = $6, role = $7, status = $8, validation_result = $9, updated_at = $10 \
            WHERE company_id = $1 AND user_id = $2";
        on!(self.0, c => sqlx::query(SQL)
            .bind(&self.0.company).bind(&user.user_id).bind(&user.login).bind(&user.email)
            .bind(&user.first_name).bind(&user.last_name).bind(user.role.as_str())
            .bind(user.status.as_str()).bind(&user.validation_result).bind(user.updated_at)
            .execute(c).await.map(drop))?;
        Ok(())
    }

    /// Replaces a user's password hash.
    pub async fn set_password(&mut self, user_id: &str, hash: &str) -> Result<(), StoreError> {
        const SQL: &str =
            "UPDATE users SET password_hash = $3 WHERE company_id = $1 AND user_id = $2";
        on!(self.0, c => sqlx::query(SQL)
            .bind(&self.0.company).bind(user_id).bind(hash).execute(c).await.map(drop))?;
        Ok(())
    }

    /// Removes a user, with their sessions and notices.
    pub async fn delete_user(&mut self, user_id: &str) -> Result<(), StoreError> {
        const SQL: &str = "DELETE FROM users WHERE company_id = $1 AND user_id = $2";
        on!(self.0, c => sqlx::query(SQL)
            .bind(&self.0.company).bind(user_id).execute(c).await.map(drop))?;
        Ok(())
    }

    /// Waits for its turn among all that count the company's seats: of two activations at once, the
    /// second sees what the first has taken.
    pub async fn lock_seats(&mut self) -> Result<(), StoreError> {
        // On PostgreSQL this locks the company's row; SQLite has one writer anyway.
        const SQL: &str = "UPDATE companies SET seats = seats WHERE company_id = $1";
        on!(self.0, c => sqlx::query(SQL).bind(&self.0.company).execute(c).await.map(drop))?;
        Ok(())
    }
}
