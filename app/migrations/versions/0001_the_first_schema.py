"""the first schema

Revision: 0001, after 
"""

import sqlalchemy as sa
from alembic import op

import app.db
from app.ledger.models import APPEND_ONLY, append_only_ddl

revision = '0001'
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('ledger_checkpoint',
    sa.Column('id', sa.String(length=16), nullable=False),
    sa.Column('size', sa.Integer(), nullable=False),
    sa.Column('note', sa.Text(), nullable=False),
    sa.Column('made_at', app.db.Moment(timezone=True), nullable=False),
    sa.Column('reason', sa.String(length=64), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_ledger_checkpoint'))
    )
    with op.batch_alter_table('ledger_checkpoint', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_ledger_checkpoint_size'), ['size'], unique=False)

    op.create_table('ledger_event',
    sa.Column('seq', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('payload', sa.Text(), nullable=False),
    sa.Column('leaf', sa.LargeBinary(length=32), nullable=False),
    sa.PrimaryKeyConstraint('seq', name=op.f('pk_ledger_event'))
    )
    op.create_table('ledger_head',
    sa.Column('id', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('size', sa.Integer(), nullable=False),
    sa.Column('edge', sa.LargeBinary(), nullable=False),
    sa.Column('root', sa.LargeBinary(length=32), nullable=False),
    sa.Column('at', app.db.Moment(timezone=True), nullable=False),
    sa.CheckConstraint('id = 1', name=op.f('ck_ledger_head_single')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_ledger_head'))
    )
    op.create_table('organisation',
    sa.Column('name', sa.String(length=200), nullable=False),
    sa.Column('kind', sa.String(length=64), nullable=False),
    sa.Column('parent_id', sa.String(length=16), nullable=True),
    sa.Column('region_code', sa.String(length=64), nullable=True),
    sa.Column('central', sa.Boolean(), nullable=False),
    sa.Column('source', sa.String(length=200), nullable=False),
    sa.Column('id', sa.String(length=16), nullable=False),
    sa.Column('salt', sa.String(), nullable=False),
    sa.CheckConstraint("kind IN ('authority', 'government', 'ministry_unit', 'university', 'institute', 'company')", name=op.f('ck_organisation_kind')),
    sa.ForeignKeyConstraint(['parent_id'], ['organisation.id'], name=op.f('fk_organisation_parent_id_organisation')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_organisation')),
    sa.UniqueConstraint('name', 'parent_id', name=op.f('uq_organisation_name_parent_id'))
    )
    with op.batch_alter_table('organisation', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_organisation_name'), ['name'], unique=False)
        batch_op.create_index(batch_op.f('ix_organisation_parent_id'), ['parent_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_organisation_region_code'), ['region_code'], unique=False)

    op.create_table('person',
    sa.Column('name', sa.String(length=200), nullable=False),
    sa.Column('id_number', sa.Text(), nullable=True),
    sa.Column('id_index', sa.String(length=64), nullable=True),
    sa.Column('phone', sa.Text(), nullable=True),
    sa.Column('phone_index', sa.String(length=64), nullable=True),
    sa.Column('birth_date', sa.Text(), nullable=True),
    sa.Column('id', sa.String(length=16), nullable=False),
    sa.Column('salt', sa.String(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_person')),
    sa.UniqueConstraint('id_index', name=op.f('uq_person_id_index'))
    )
    with op.batch_alter_table('person', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_person_name'), ['name'], unique=False)
        batch_op.create_index(batch_op.f('ix_person_phone_index'), ['phone_index'], unique=False)

    op.create_table('region',
    sa.Column('code', sa.String(length=64), nullable=False),
    sa.Column('name', sa.String(length=200), nullable=False),
    sa.Column('kind', sa.String(length=64), nullable=False),
    sa.Column('parent_code', sa.String(length=64), nullable=True),
    sa.Column('valid_from', sa.Date(), nullable=True),
    sa.Column('valid_to', sa.Date(), nullable=True),
    sa.Column('source', sa.String(length=200), nullable=False),
    sa.Column('id', sa.String(length=16), nullable=False),
    sa.Column('salt', sa.String(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_region')),
    sa.UniqueConstraint('code', 'valid_from', name=op.f('uq_region_code_valid_from'))
    )
    with op.batch_alter_table('region', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_region_code'), ['code'], unique=False)
        batch_op.create_index(batch_op.f('ix_region_parent_code'), ['parent_code'], unique=False)

    op.create_table('region_change',
    sa.Column('on', sa.Date(), nullable=False),
    sa.Column('kind', sa.String(length=64), nullable=False),
    sa.Column('old_codes', sa.JSON(), nullable=False),
    sa.Column('new_codes', sa.JSON(), nullable=False),
    sa.Column('source', sa.String(length=200), nullable=False),
    sa.Column('note', sa.Text(), nullable=False),
    sa.Column('id', sa.String(length=16), nullable=False),
    sa.Column('salt', sa.String(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_region_change'))
    )
    op.create_table('throttle',
    sa.Column('key', sa.String(), nullable=False),
    sa.Column('failures', sa.Integer(), nullable=False),
    sa.Column('since', app.db.Moment(timezone=True), nullable=False),
    sa.Column('locked_until', app.db.Moment(timezone=True), nullable=True),
    sa.PrimaryKeyConstraint('key', name=op.f('pk_throttle'))
    )
    op.create_table('account',
    sa.Column('person_id', sa.String(length=16), nullable=False),
    sa.Column('login', sa.String(length=64), nullable=False),
    sa.Column('password_hash', sa.Text(), nullable=True),
    sa.Column('totp_secret', sa.Text(), nullable=True),
    sa.Column('totp_step', sa.Integer(), nullable=True),
    sa.Column('active', sa.Boolean(), nullable=False),
    sa.Column('id', sa.String(length=16), nullable=False),
    sa.Column('salt', sa.String(), nullable=False),
    sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_account_person_id_person')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_account')),
    sa.UniqueConstraint('login', name=op.f('uq_account_login')),
    sa.UniqueConstraint('person_id', name=op.f('uq_account_person_id'))
    )
    op.create_table('employment',
    sa.Column('person_id', sa.String(length=16), nullable=False),
    sa.Column('organisation_id', sa.String(length=16), nullable=False),
    sa.Column('post', sa.String(length=200), nullable=False),
    sa.Column('relation', sa.String(length=64), nullable=False),
    sa.Column('since', sa.Date(), nullable=True),
    sa.Column('until', sa.Date(), nullable=True),
    sa.Column('id', sa.String(length=16), nullable=False),
    sa.Column('salt', sa.String(), nullable=False),
    sa.CheckConstraint("relation IN ('employed', 'director', 'supervisor', 'adviser', 'shareholder')", name=op.f('ck_employment_relation')),
    sa.ForeignKeyConstraint(['organisation_id'], ['organisation.id'], name=op.f('fk_employment_organisation_id_organisation')),
    sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_employment_person_id_person')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_employment'))
    )
    with op.batch_alter_table('employment', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_employment_organisation_id'), ['organisation_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_employment_person_id'), ['person_id'], unique=False)

    op.create_table('ledger_secret',
    sa.Column('seq', sa.Integer(), nullable=False),
    sa.Column('body', sa.Text(), nullable=False),
    sa.ForeignKeyConstraint(['seq'], ['ledger_event.seq'], name=op.f('fk_ledger_secret_seq_ledger_event')),
    sa.PrimaryKeyConstraint('seq', name=op.f('pk_ledger_secret'))
    )
    op.create_table('county_tie',
    sa.Column('region_code', sa.String(length=64), nullable=False),
    sa.Column('person_name', sa.String(length=200), nullable=False),
    sa.Column('employer', sa.String(length=200), nullable=False),
    sa.Column('kind', sa.String(length=64), nullable=False),
    sa.Column('evidence', sa.Text(), nullable=False),
    sa.Column('declared_by', sa.String(length=16), nullable=False),
    sa.Column('declared_at', app.db.Moment(timezone=True), nullable=False),
    sa.Column('id', sa.String(length=16), nullable=False),
    sa.Column('salt', sa.String(), nullable=False),
    sa.CheckConstraint("kind IN ('kin', 'dispute', 'drafting', 'consulting', 'earlier_stage', 'shareholding', 'coauthor', 'teacher_student', 'other')", name=op.f('ck_county_tie_kind')),
    sa.ForeignKeyConstraint(['declared_by'], ['account.id'], name=op.f('fk_county_tie_declared_by_account')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_county_tie'))
    )
    with op.batch_alter_table('county_tie', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_county_tie_person_name'), ['person_name'], unique=False)
        batch_op.create_index(batch_op.f('ix_county_tie_region_code'), ['region_code'], unique=False)

    op.create_table('expert',
    sa.Column('person_id', sa.String(length=16), nullable=False),
    sa.Column('number', sa.String(length=64), nullable=False),
    sa.Column('status', sa.String(length=64), nullable=False),
    sa.Column('kind', sa.String(length=64), nullable=False),
    sa.Column('discipline', sa.String(length=64), nullable=False),
    sa.Column('specialties', sa.JSON(), nullable=False),
    sa.Column('source', sa.String(length=64), nullable=False),
    sa.Column('title', sa.String(length=200), nullable=False),
    sa.Column('title_rank', sa.Integer(), nullable=False),
    sa.Column('career_start', sa.Integer(), nullable=True),
    sa.Column('region_code', sa.String(length=64), nullable=True),
    sa.Column('nominated_by', sa.String(length=200), nullable=False),
    sa.Column('consent_version', sa.String(length=64), nullable=True),
    sa.Column('consent_at', app.db.Moment(timezone=True), nullable=True),
    sa.Column('admitted_on', sa.Date(), nullable=True),
    sa.Column('verified_on', sa.Date(), nullable=True),
    sa.Column('review_due', sa.Date(), nullable=True),
    sa.Column('screening_document', sa.String(length=200), nullable=False),
    sa.Column('status_since', sa.Date(), nullable=True),
    sa.Column('status_reason', sa.Text(), nullable=False),
    sa.Column('note', sa.Text(), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('edited_by', sa.String(length=16), nullable=True),
    sa.Column('edited_at', app.db.Moment(timezone=True), nullable=True),
    sa.Column('id', sa.String(length=16), nullable=False),
    sa.Column('salt', sa.String(), nullable=False),
    sa.CheckConstraint("discipline IN ('land', 'planning', 'minerals', 'agriculture', 'economics', 'law', 'survey')", name=op.f('ck_expert_discipline')),
    sa.CheckConstraint("kind IN ('technical', 'economic', 'management')", name=op.f('ck_expert_kind')),
    sa.CheckConstraint("source IN ('ministry_unit', 'university', 'institute', 'company')", name=op.f('ck_expert_source')),
    sa.CheckConstraint("status IN ('candidate', 'active', 'suspended', 'retired', 'barred')", name=op.f('ck_expert_status')),
    sa.ForeignKeyConstraint(['edited_by'], ['account.id'], name=op.f('fk_expert_edited_by_account')),
    sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_expert_person_id_person')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_expert')),
    sa.UniqueConstraint('number', name=op.f('uq_expert_number')),
    sa.UniqueConstraint('person_id', name=op.f('uq_expert_person_id'))
    )
    with op.batch_alter_table('expert', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_expert_discipline'), ['discipline'], unique=False)
        batch_op.create_index(batch_op.f('ix_expert_region_code'), ['region_code'], unique=False)
        batch_op.create_index(batch_op.f('ix_expert_status'), ['status'], unique=False)

    op.create_table('form_version',
    sa.Column('form_id', sa.String(length=64), nullable=False),
    sa.Column('digest', sa.String(length=64), nullable=False),
    sa.Column('title_zh', sa.String(length=200), nullable=False),
    sa.Column('title_en', sa.String(length=200), nullable=False),
    sa.Column('source', sa.Text(), nullable=False),
    sa.Column('loaded_at', app.db.Moment(timezone=True), nullable=False),
    sa.Column('signed_by', sa.String(length=16), nullable=True),
    sa.Column('signed_at', app.db.Moment(timezone=True), nullable=True),
    sa.Column('id', sa.String(length=16), nullable=False),
    sa.Column('salt', sa.String(), nullable=False),
    sa.ForeignKeyConstraint(['signed_by'], ['account.id'], name=op.f('fk_form_version_signed_by_account')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_form_version')),
    sa.UniqueConstraint('digest', name=op.f('uq_form_version_digest'))
    )
    with op.batch_alter_table('form_version', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_form_version_form_id'), ['form_id'], unique=False)

    op.create_table('invitation',
    sa.Column('token_hash', sa.String(length=64), nullable=False),
    sa.Column('purpose', sa.String(length=64), nullable=False),
    sa.Column('role', sa.String(length=64), nullable=True),
    sa.Column('person_id', sa.String(length=16), nullable=True),
    sa.Column('created_by', sa.String(length=16), nullable=True),
    sa.Column('created_at', app.db.Moment(timezone=True), nullable=False),
    sa.Column('expires_at', app.db.Moment(timezone=True), nullable=False),
    sa.Column('used_at', app.db.Moment(timezone=True), nullable=True),
    sa.Column('id', sa.String(length=16), nullable=False),
    sa.Column('salt', sa.String(), nullable=False),
    sa.ForeignKeyConstraint(['created_by'], ['account.id'], name=op.f('fk_invitation_created_by_account')),
    sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_invitation_person_id_person')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_invitation')),
    sa.UniqueConstraint('token_hash', name=op.f('uq_invitation_token_hash'))
    )
    op.create_table('recovery_code',
    sa.Column('account_id', sa.String(length=16), nullable=False),
    sa.Column('code_hash', sa.String(length=64), nullable=False),
    sa.Column('used_at', app.db.Moment(timezone=True), nullable=True),
    sa.Column('id', sa.String(length=16), nullable=False),
    sa.Column('salt', sa.String(), nullable=False),
    sa.ForeignKeyConstraint(['account_id'], ['account.id'], name=op.f('fk_recovery_code_account_id_account')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_recovery_code'))
    )
    with op.batch_alter_table('recovery_code', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_recovery_code_account_id'), ['account_id'], unique=False)

    op.create_table('role_grant',
    sa.Column('person_id', sa.String(length=16), nullable=False),
    sa.Column('role', sa.String(length=64), nullable=False),
    sa.Column('since', app.db.Moment(timezone=True), nullable=False),
    sa.Column('until', app.db.Moment(timezone=True), nullable=True),
    sa.Column('granted_by', sa.String(length=16), nullable=True),
    sa.Column('id', sa.String(length=16), nullable=False),
    sa.Column('salt', sa.String(), nullable=False),
    sa.CheckConstraint("role IN ('office', 'keeper', 'supervisor', 'expert', 'presenter', 'admin')", name=op.f('ck_role_grant_role')),
    sa.ForeignKeyConstraint(['granted_by'], ['account.id'], name=op.f('fk_role_grant_granted_by_account')),
    sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_role_grant_person_id_person')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_role_grant'))
    )
    with op.batch_alter_table('role_grant', schema=None) as batch_op:
        batch_op.create_index('ix_role_grant_one_live_role', ['person_id'], unique=True, sqlite_where=sa.text('until IS NULL'), postgresql_where=sa.text('until IS NULL'))
        batch_op.create_index(batch_op.f('ix_role_grant_person_id'), ['person_id'], unique=False)

    op.create_table('round',
    sa.Column('slug', sa.String(length=64), nullable=False),
    sa.Column('title_zh', sa.String(length=200), nullable=False),
    sa.Column('title_en', sa.String(length=200), nullable=False),
    sa.Column('kind', sa.String(length=64), nullable=False),
    sa.Column('phase', sa.String(length=64), nullable=False),
    sa.Column('scheme_id', sa.String(length=64), nullable=False),
    sa.Column('scheme_digest', sa.String(length=64), nullable=False),
    sa.Column('scheme', sa.JSON(), nullable=False),
    sa.Column('rules', sa.JSON(), nullable=False),
    sa.Column('rules_digest', sa.String(length=64), nullable=False),
    sa.Column('score_rule', sa.JSON(), nullable=False),
    sa.Column('score_rule_digest', sa.String(length=64), nullable=False),
    sa.Column('review_on', sa.Date(), nullable=False),
    sa.Column('note', sa.Text(), nullable=False),
    sa.Column('created_by', sa.String(length=16), nullable=True),
    sa.Column('created_at', app.db.Moment(timezone=True), nullable=False),
    sa.Column('opened_at', app.db.Moment(timezone=True), nullable=True),
    sa.Column('ended_at', app.db.Moment(timezone=True), nullable=True),
    sa.Column('ended_reason', sa.Text(), nullable=False),
    sa.Column('id', sa.String(length=16), nullable=False),
    sa.Column('salt', sa.String(), nullable=False),
    sa.CheckConstraint("kind IN ('real', 'drill', 'trial')", name=op.f('ck_round_kind')),
    sa.CheckConstraint("phase IN ('preparing', 'open', 'closed', 'cancelled')", name=op.f('ck_round_phase')),
    sa.ForeignKeyConstraint(['created_by'], ['account.id'], name=op.f('fk_round_created_by_account')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_round')),
    sa.UniqueConstraint('slug', name=op.f('uq_round_slug'))
    )
    op.create_table('sign_in',
    sa.Column('id', sa.String(length=16), nullable=False),
    sa.Column('token_hash', sa.String(length=64), nullable=False),
    sa.Column('account_id', sa.String(length=16), nullable=False),
    sa.Column('created_at', app.db.Moment(timezone=True), nullable=False),
    sa.Column('last_seen_at', app.db.Moment(timezone=True), nullable=False),
    sa.Column('expires_at', app.db.Moment(timezone=True), nullable=False),
    sa.Column('revoked_at', app.db.Moment(timezone=True), nullable=True),
    sa.Column('agent', sa.String(length=200), nullable=False),
    sa.Column('address', sa.String(length=64), nullable=False),
    sa.ForeignKeyConstraint(['account_id'], ['account.id'], name=op.f('fk_sign_in_account_id_account')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_sign_in')),
    sa.UniqueConstraint('token_hash', name=op.f('uq_sign_in_token_hash'))
    )
    with op.batch_alter_table('sign_in', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_sign_in_account_id'), ['account_id'], unique=False)

    op.create_table('absence',
    sa.Column('expert_id', sa.String(length=16), nullable=False),
    sa.Column('since', sa.Date(), nullable=False),
    sa.Column('until', sa.Date(), nullable=False),
    sa.Column('reason', sa.String(length=200), nullable=False),
    sa.Column('cancelled_at', app.db.Moment(timezone=True), nullable=True),
    sa.Column('id', sa.String(length=16), nullable=False),
    sa.Column('salt', sa.String(), nullable=False),
    sa.ForeignKeyConstraint(['expert_id'], ['expert.id'], name=op.f('fk_absence_expert_id_expert')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_absence'))
    )
    with op.batch_alter_table('absence', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_absence_expert_id'), ['expert_id'], unique=False)

    op.create_table('draw',
    sa.Column('round_id', sa.String(length=16), nullable=False),
    sa.Column('stage', sa.String(length=64), nullable=False),
    sa.Column('kind', sa.String(length=64), nullable=False),
    sa.Column('purpose_key', sa.String(length=64), nullable=False),
    sa.Column('attempt', sa.Integer(), nullable=False),
    sa.Column('state', sa.String(length=64), nullable=False),
    sa.Column('request', sa.JSON(), nullable=False),
    sa.Column('commitment', sa.JSON(), nullable=True),
    sa.Column('commitment_hash', sa.String(length=64), nullable=True),
    sa.Column('commitment_seq', sa.Integer(), nullable=True),
    sa.Column('cosigned_by', sa.String(length=16), nullable=True),
    sa.Column('cosigned_at', app.db.Moment(timezone=True), nullable=True),
    sa.Column('checkpoint', sa.Text(), nullable=True),
    sa.Column('key', sa.String(length=64), nullable=True),
    sa.Column('snapshot', sa.JSON(), nullable=True),
    sa.Column('result', sa.JSON(), nullable=True),
    sa.Column('transcript_sha256', sa.String(length=64), nullable=True),
    sa.Column('created_by', sa.String(length=16), nullable=True),
    sa.Column('created_at', app.db.Moment(timezone=True), nullable=False),
    sa.Column('drawn_at', app.db.Moment(timezone=True), nullable=True),
    sa.Column('abort_reason', sa.Text(), nullable=False),
    sa.Column('id', sa.String(length=16), nullable=False),
    sa.Column('salt', sa.String(), nullable=False),
    sa.CheckConstraint("kind IN ('real', 'drill')", name=op.f('ck_draw_kind')),
    sa.CheckConstraint("state IN ('draft', 'committed', 'cosigned', 'completed', 'aborted')", name=op.f('ck_draw_state')),
    sa.ForeignKeyConstraint(['cosigned_by'], ['account.id'], name=op.f('fk_draw_cosigned_by_account')),
    sa.ForeignKeyConstraint(['created_by'], ['account.id'], name=op.f('fk_draw_created_by_account')),
    sa.ForeignKeyConstraint(['round_id'], ['round.id'], name=op.f('fk_draw_round_id_round')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_draw')),
    sa.UniqueConstraint('purpose_key', 'attempt', name=op.f('uq_draw_purpose_key_attempt'))
    )
    with op.batch_alter_table('draw', schema=None) as batch_op:
        batch_op.create_index('ix_draw_one_completed', ['purpose_key'], unique=True, sqlite_where=sa.text("state = 'completed'"), postgresql_where=sa.text("state = 'completed'"))
        batch_op.create_index('ix_draw_one_open', ['purpose_key'], unique=True, sqlite_where=sa.text("state IN ('committed', 'cosigned')"), postgresql_where=sa.text("state IN ('committed', 'cosigned')"))
        batch_op.create_index(batch_op.f('ix_draw_round_id'), ['round_id'], unique=False)

    op.create_table('form_pin',
    sa.Column('round_id', sa.String(length=16), nullable=False),
    sa.Column('stage', sa.String(length=64), nullable=False),
    sa.Column('region_class', sa.String(length=64), nullable=False),
    sa.Column('form_version_id', sa.String(length=16), nullable=False),
    sa.Column('instrument_digest', sa.String(length=64), nullable=True),
    sa.Column('id', sa.String(length=16), nullable=False),
    sa.Column('salt', sa.String(), nullable=False),
    sa.ForeignKeyConstraint(['form_version_id'], ['form_version.id'], name=op.f('fk_form_pin_form_version_id_form_version')),
    sa.ForeignKeyConstraint(['round_id'], ['round.id'], name=op.f('fk_form_pin_round_id_round')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_form_pin')),
    sa.UniqueConstraint('round_id', 'stage', 'region_class', name=op.f('uq_form_pin_round_id_stage_region_class'))
    )
    with op.batch_alter_table('form_pin', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_form_pin_round_id'), ['round_id'], unique=False)

    op.create_table('interest',
    sa.Column('expert_id', sa.String(length=16), nullable=False),
    sa.Column('kind', sa.String(length=64), nullable=False),
    sa.Column('side', sa.String(length=64), nullable=False),
    sa.Column('region_code', sa.String(length=64), nullable=True),
    sa.Column('organisation_id', sa.String(length=16), nullable=True),
    sa.Column('other_expert_id', sa.String(length=16), nullable=True),
    sa.Column('since', sa.Date(), nullable=True),
    sa.Column('until', sa.Date(), nullable=True),
    sa.Column('evidence', sa.Text(), nullable=False),
    sa.Column('status', sa.String(length=64), nullable=False),
    sa.Column('declared_by', sa.String(length=16), nullable=True),
    sa.Column('declared_at', app.db.Moment(timezone=True), nullable=False),
    sa.Column('decided_by', sa.String(length=16), nullable=True),
    sa.Column('decided_at', app.db.Moment(timezone=True), nullable=True),
    sa.Column('decision_reason', sa.Text(), nullable=False),
    sa.Column('id', sa.String(length=16), nullable=False),
    sa.Column('salt', sa.String(), nullable=False),
    sa.CheckConstraint("kind IN ('kin', 'dispute', 'drafting', 'consulting', 'earlier_stage', 'shareholding', 'coauthor', 'teacher_student', 'other')", name=op.f('ck_interest_kind')),
    sa.CheckConstraint("side IN ('expert', 'county', 'office')", name=op.f('ck_interest_side')),
    sa.CheckConstraint("status IN ('declared', 'upheld', 'dismissed', 'withdrawn')", name=op.f('ck_interest_status')),
    sa.ForeignKeyConstraint(['decided_by'], ['account.id'], name=op.f('fk_interest_decided_by_account')),
    sa.ForeignKeyConstraint(['declared_by'], ['account.id'], name=op.f('fk_interest_declared_by_account')),
    sa.ForeignKeyConstraint(['expert_id'], ['expert.id'], name=op.f('fk_interest_expert_id_expert')),
    sa.ForeignKeyConstraint(['organisation_id'], ['organisation.id'], name=op.f('fk_interest_organisation_id_organisation')),
    sa.ForeignKeyConstraint(['other_expert_id'], ['expert.id'], name=op.f('fk_interest_other_expert_id_expert')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_interest'))
    )
    with op.batch_alter_table('interest', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_interest_expert_id'), ['expert_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_interest_region_code'), ['region_code'], unique=False)

    op.create_table('run',
    sa.Column('round_id', sa.String(length=16), nullable=False),
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('rule', sa.JSON(), nullable=False),
    sa.Column('rule_digest', sa.String(length=64), nullable=False),
    sa.Column('inputs', sa.JSON(), nullable=False),
    sa.Column('inputs_digest', sa.String(length=64), nullable=False),
    sa.Column('results', sa.JSON(), nullable=False),
    sa.Column('results_digest', sa.String(length=64), nullable=False),
    sa.Column('note', sa.Text(), nullable=False),
    sa.Column('made_by', sa.String(length=16), nullable=True),
    sa.Column('made_at', app.db.Moment(timezone=True), nullable=False),
    sa.Column('id', sa.String(length=16), nullable=False),
    sa.Column('salt', sa.String(), nullable=False),
    sa.ForeignKeyConstraint(['made_by'], ['account.id'], name=op.f('fk_run_made_by_account')),
    sa.ForeignKeyConstraint(['round_id'], ['round.id'], name=op.f('fk_run_round_id_round')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_run')),
    sa.UniqueConstraint('round_id', 'number', name=op.f('uq_run_round_id_number'))
    )
    with op.batch_alter_table('run', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_run_round_id'), ['round_id'], unique=False)

    op.create_table('sanction',
    sa.Column('expert_id', sa.String(length=16), nullable=False),
    sa.Column('kind', sa.String(length=64), nullable=False),
    sa.Column('since', sa.Date(), nullable=False),
    sa.Column('until', sa.Date(), nullable=True),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('decided_by', sa.String(length=200), nullable=False),
    sa.Column('id', sa.String(length=16), nullable=False),
    sa.Column('salt', sa.String(), nullable=False),
    sa.ForeignKeyConstraint(['expert_id'], ['expert.id'], name=op.f('fk_sanction_expert_id_expert')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_sanction'))
    )
    with op.batch_alter_table('sanction', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_sanction_expert_id'), ['expert_id'], unique=False)

    op.create_table('screening',
    sa.Column('expert_id', sa.String(length=16), nullable=False),
    sa.Column('reviewer_id', sa.String(length=16), nullable=False),
    sa.Column('decision', sa.String(length=64), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('at', app.db.Moment(timezone=True), nullable=False),
    sa.Column('id', sa.String(length=16), nullable=False),
    sa.Column('salt', sa.String(), nullable=False),
    sa.ForeignKeyConstraint(['expert_id'], ['expert.id'], name=op.f('fk_screening_expert_id_expert')),
    sa.ForeignKeyConstraint(['reviewer_id'], ['account.id'], name=op.f('fk_screening_reviewer_id_account')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_screening'))
    )
    with op.batch_alter_table('screening', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_screening_expert_id'), ['expert_id'], unique=False)

    op.create_table('subject',
    sa.Column('round_id', sa.String(length=16), nullable=False),
    sa.Column('position', sa.Integer(), nullable=False),
    sa.Column('region_code', sa.String(length=64), nullable=False),
    sa.Column('name_zh', sa.String(length=200), nullable=False),
    sa.Column('name_en', sa.String(length=200), nullable=False),
    sa.Column('region_class', sa.String(length=64), nullable=False),
    sa.Column('class_basis', sa.String(length=200), nullable=False),
    sa.Column('facts', sa.JSON(), nullable=False),
    sa.Column('status', sa.String(length=64), nullable=False),
    sa.Column('withdrawn_reason', sa.Text(), nullable=False),
    sa.Column('presenter_id', sa.String(length=16), nullable=True),
    sa.Column('id', sa.String(length=16), nullable=False),
    sa.Column('salt', sa.String(), nullable=False),
    sa.CheckConstraint("status IN ('declared', 'qualified', 'vetoed', 'withdrawn')", name=op.f('ck_subject_status')),
    sa.ForeignKeyConstraint(['presenter_id'], ['person.id'], name=op.f('fk_subject_presenter_id_person')),
    sa.ForeignKeyConstraint(['round_id'], ['round.id'], name=op.f('fk_subject_round_id_round')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_subject')),
    sa.UniqueConstraint('round_id', 'region_code', name=op.f('uq_subject_round_id_region_code'))
    )
    with op.batch_alter_table('subject', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_subject_round_id'), ['round_id'], unique=False)

    op.create_table('act',
    sa.Column('draw_id', sa.String(length=16), nullable=False),
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('removals', sa.JSON(), nullable=False),
    sa.Column('removal_hash', sa.String(length=64), nullable=False),
    sa.Column('codes', sa.JSON(), nullable=False),
    sa.Column('key', sa.String(length=64), nullable=True),
    sa.Column('result', sa.JSON(), nullable=True),
    sa.Column('recorded_by', sa.String(length=16), nullable=True),
    sa.Column('cosigned_by', sa.String(length=16), nullable=True),
    sa.Column('recorded_at', app.db.Moment(timezone=True), nullable=False),
    sa.Column('completed_at', app.db.Moment(timezone=True), nullable=True),
    sa.Column('id', sa.String(length=16), nullable=False),
    sa.Column('salt', sa.String(), nullable=False),
    sa.ForeignKeyConstraint(['cosigned_by'], ['account.id'], name=op.f('fk_act_cosigned_by_account')),
    sa.ForeignKeyConstraint(['draw_id'], ['draw.id'], name=op.f('fk_act_draw_id_draw')),
    sa.ForeignKeyConstraint(['recorded_by'], ['account.id'], name=op.f('fk_act_recorded_by_account')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_act')),
    sa.UniqueConstraint('draw_id', 'number', name=op.f('uq_act_draw_id_number'))
    )
    with op.batch_alter_table('act', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_act_draw_id'), ['draw_id'], unique=False)

    op.create_table('candidate',
    sa.Column('draw_id', sa.String(length=16), nullable=False),
    sa.Column('expert_id', sa.String(length=16), nullable=False),
    sa.Column('pseudonym', sa.String(length=64), nullable=False),
    sa.Column('leaf_salt', sa.String(length=64), nullable=False),
    sa.Column('facts', sa.JSON(), nullable=False),
    sa.Column('exclusions', sa.JSON(), nullable=False),
    sa.Column('id', sa.String(length=16), nullable=False),
    sa.Column('salt', sa.String(), nullable=False),
    sa.ForeignKeyConstraint(['draw_id'], ['draw.id'], name=op.f('fk_candidate_draw_id_draw')),
    sa.ForeignKeyConstraint(['expert_id'], ['expert.id'], name=op.f('fk_candidate_expert_id_expert')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_candidate')),
    sa.UniqueConstraint('draw_id', 'expert_id', name=op.f('uq_candidate_draw_id_expert_id')),
    sa.UniqueConstraint('draw_id', 'pseudonym', name=op.f('uq_candidate_draw_id_pseudonym'))
    )
    with op.batch_alter_table('candidate', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_candidate_draw_id'), ['draw_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_candidate_expert_id'), ['expert_id'], unique=False)

    op.create_table('dice',
    sa.Column('draw_id', sa.String(length=16), nullable=False),
    sa.Column('source', sa.String(length=64), nullable=False),
    sa.Column('role', sa.String(length=64), nullable=False),
    sa.Column('account_id', sa.String(length=16), nullable=False),
    sa.Column('values', sa.JSON(), nullable=False),
    sa.Column('at', app.db.Moment(timezone=True), nullable=False),
    sa.Column('id', sa.String(length=16), nullable=False),
    sa.Column('salt', sa.String(), nullable=False),
    sa.ForeignKeyConstraint(['account_id'], ['account.id'], name=op.f('fk_dice_account_id_account')),
    sa.ForeignKeyConstraint(['draw_id'], ['draw.id'], name=op.f('fk_dice_draw_id_draw')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_dice')),
    sa.UniqueConstraint('draw_id', 'source', 'account_id', name=op.f('uq_dice_draw_id_source_account_id')),
    sa.UniqueConstraint('draw_id', 'source', 'role', name=op.f('uq_dice_draw_id_source_role'))
    )
    with op.batch_alter_table('dice', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_dice_draw_id'), ['draw_id'], unique=False)

    op.create_table('figure',
    sa.Column('subject_id', sa.String(length=16), nullable=False),
    sa.Column('key', sa.String(length=64), nullable=False),
    sa.Column('value', app.db.Exact(length=40), nullable=False),
    sa.Column('unit', sa.String(length=64), nullable=False),
    sa.Column('year', sa.Integer(), nullable=True),
    sa.Column('source', sa.String(length=200), nullable=False),
    sa.Column('entered_by', sa.String(length=16), nullable=True),
    sa.Column('entered_at', app.db.Moment(timezone=True), nullable=False),
    sa.Column('confirmed_by', sa.String(length=16), nullable=True),
    sa.Column('confirmed_at', app.db.Moment(timezone=True), nullable=True),
    sa.Column('id', sa.String(length=16), nullable=False),
    sa.Column('salt', sa.String(), nullable=False),
    sa.ForeignKeyConstraint(['confirmed_by'], ['account.id'], name=op.f('fk_figure_confirmed_by_account')),
    sa.ForeignKeyConstraint(['entered_by'], ['account.id'], name=op.f('fk_figure_entered_by_account')),
    sa.ForeignKeyConstraint(['subject_id'], ['subject.id'], name=op.f('fk_figure_subject_id_subject')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_figure')),
    sa.UniqueConstraint('subject_id', 'key', name=op.f('uq_figure_subject_id_key'))
    )
    with op.batch_alter_table('figure', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_figure_subject_id'), ['subject_id'], unique=False)

    op.create_table('guidance',
    sa.Column('round_id', sa.String(length=16), nullable=False),
    sa.Column('subject_id', sa.String(length=16), nullable=False),
    sa.Column('organisation_id', sa.String(length=16), nullable=False),
    sa.Column('basis', sa.String(length=200), nullable=False),
    sa.Column('id', sa.String(length=16), nullable=False),
    sa.Column('salt', sa.String(), nullable=False),
    sa.ForeignKeyConstraint(['organisation_id'], ['organisation.id'], name=op.f('fk_guidance_organisation_id_organisation')),
    sa.ForeignKeyConstraint(['round_id'], ['round.id'], name=op.f('fk_guidance_round_id_round')),
    sa.ForeignKeyConstraint(['subject_id'], ['subject.id'], name=op.f('fk_guidance_subject_id_subject')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_guidance')),
    sa.UniqueConstraint('subject_id', 'organisation_id', name=op.f('uq_guidance_subject_id_organisation_id'))
    )
    with op.batch_alter_table('guidance', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_guidance_round_id'), ['round_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_guidance_subject_id'), ['subject_id'], unique=False)

    op.create_table('material',
    sa.Column('subject_id', sa.String(length=16), nullable=False),
    sa.Column('file_sha256', sa.String(length=64), nullable=False),
    sa.Column('name', sa.String(length=200), nullable=False),
    sa.Column('mime', sa.String(length=64), nullable=False),
    sa.Column('size', sa.Integer(), nullable=False),
    sa.Column('items', sa.JSON(), nullable=False),
    sa.Column('uploaded_by', sa.String(length=16), nullable=True),
    sa.Column('uploaded_at', app.db.Moment(timezone=True), nullable=False),
    sa.Column('withdrawn_at', app.db.Moment(timezone=True), nullable=True),
    sa.Column('withdrawn_reason', sa.Text(), nullable=False),
    sa.Column('id', sa.String(length=16), nullable=False),
    sa.Column('salt', sa.String(), nullable=False),
    sa.ForeignKeyConstraint(['subject_id'], ['subject.id'], name=op.f('fk_material_subject_id_subject')),
    sa.ForeignKeyConstraint(['uploaded_by'], ['account.id'], name=op.f('fk_material_uploaded_by_account')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_material')),
    sa.UniqueConstraint('subject_id', 'file_sha256', name=op.f('uq_material_subject_id_file_sha256'))
    )
    with op.batch_alter_table('material', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_material_subject_id'), ['subject_id'], unique=False)

    op.create_table('opinion',
    sa.Column('subject_id', sa.String(length=16), nullable=False),
    sa.Column('item', sa.String(length=64), nullable=False),
    sa.Column('department', sa.String(length=200), nullable=False),
    sa.Column('verdict', sa.String(length=64), nullable=False),
    sa.Column('vetoes', sa.JSON(), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('evidence', sa.Text(), nullable=False),
    sa.Column('signer', sa.String(length=200), nullable=False),
    sa.Column('signed_at', app.db.Moment(timezone=True), nullable=False),
    sa.Column('recorded_by', sa.String(length=16), nullable=True),
    sa.Column('id', sa.String(length=16), nullable=False),
    sa.Column('salt', sa.String(), nullable=False),
    sa.CheckConstraint("verdict IN ('pass', 'veto')", name=op.f('ck_opinion_verdict')),
    sa.ForeignKeyConstraint(['recorded_by'], ['account.id'], name=op.f('fk_opinion_recorded_by_account')),
    sa.ForeignKeyConstraint(['subject_id'], ['subject.id'], name=op.f('fk_opinion_subject_id_subject')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_opinion')),
    sa.UniqueConstraint('subject_id', 'item', name=op.f('uq_opinion_subject_id_item'))
    )
    with op.batch_alter_table('opinion', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_opinion_subject_id'), ['subject_id'], unique=False)

    op.create_table('party',
    sa.Column('draw_id', sa.String(length=16), nullable=False),
    sa.Column('position', sa.Integer(), nullable=False),
    sa.Column('name', sa.String(length=64), nullable=False),
    sa.Column('account_id', sa.String(length=16), nullable=True),
    sa.Column('commitment', sa.String(length=64), nullable=False),
    sa.Column('index', sa.Integer(), nullable=False),
    sa.Column('codes', sa.JSON(), nullable=False),
    sa.Column('id', sa.String(length=16), nullable=False),
    sa.Column('salt', sa.String(), nullable=False),
    sa.ForeignKeyConstraint(['account_id'], ['account.id'], name=op.f('fk_party_account_id_account')),
    sa.ForeignKeyConstraint(['draw_id'], ['draw.id'], name=op.f('fk_party_draw_id_draw')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_party')),
    sa.UniqueConstraint('draw_id', 'name', name=op.f('uq_party_draw_id_name'))
    )
    with op.batch_alter_table('party', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_party_draw_id'), ['draw_id'], unique=False)

    op.create_table('report',
    sa.Column('round_id', sa.String(length=16), nullable=False),
    sa.Column('run_id', sa.String(length=16), nullable=False),
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('state', sa.String(length=64), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('sections', sa.JSON(), nullable=False),
    sa.Column('head', sa.String(length=200), nullable=True),
    sa.Column('pdf_sha256', sa.String(length=64), nullable=True),
    sa.Column('due_at', app.db.Moment(timezone=True), nullable=False),
    sa.Column('created_by', sa.String(length=16), nullable=True),
    sa.Column('created_at', app.db.Moment(timezone=True), nullable=False),
    sa.Column('finished_at', app.db.Moment(timezone=True), nullable=True),
    sa.Column('id', sa.String(length=16), nullable=False),
    sa.Column('salt', sa.String(), nullable=False),
    sa.CheckConstraint("state IN ('drafting', 'signing', 'final', 'replaced')", name=op.f('ck_report_state')),
    sa.ForeignKeyConstraint(['created_by'], ['account.id'], name=op.f('fk_report_created_by_account')),
    sa.ForeignKeyConstraint(['round_id'], ['round.id'], name=op.f('fk_report_round_id_round')),
    sa.ForeignKeyConstraint(['run_id'], ['run.id'], name=op.f('fk_report_run_id_run')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_report')),
    sa.UniqueConstraint('round_id', 'number', name=op.f('uq_report_round_id_number'))
    )
    with op.batch_alter_table('report', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_report_round_id'), ['round_id'], unique=False)

    op.create_table('seat',
    sa.Column('draw_id', sa.String(length=16), nullable=False),
    sa.Column('panel', sa.String(length=64), nullable=False),
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('act', sa.Integer(), nullable=False),
    sa.Column('expert_id', sa.String(length=16), nullable=False),
    sa.Column('ticket', sa.String(length=64), nullable=False),
    sa.Column('state', sa.String(length=64), nullable=False),
    sa.Column('reason', sa.String(length=64), nullable=True),
    sa.Column('evidence', sa.Text(), nullable=False),
    sa.Column('changed_at', app.db.Moment(timezone=True), nullable=False),
    sa.Column('id', sa.String(length=16), nullable=False),
    sa.Column('salt', sa.String(), nullable=False),
    sa.CheckConstraint("state IN ('drawn', 'confirmed', 'removed')", name=op.f('ck_seat_state')),
    sa.ForeignKeyConstraint(['draw_id'], ['draw.id'], name=op.f('fk_seat_draw_id_draw')),
    sa.ForeignKeyConstraint(['expert_id'], ['expert.id'], name=op.f('fk_seat_expert_id_expert')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_seat')),
    sa.UniqueConstraint('draw_id', 'panel', 'number', 'act', name=op.f('uq_seat_draw_id_panel_number_act'))
    )
    with op.batch_alter_table('seat', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_seat_draw_id'), ['draw_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_seat_expert_id'), ['expert_id'], unique=False)

    op.create_table('contact',
    sa.Column('seat_id', sa.String(length=16), nullable=False),
    sa.Column('at', app.db.Moment(timezone=True), nullable=False),
    sa.Column('channel', sa.String(length=64), nullable=False),
    sa.Column('outcome', sa.String(length=64), nullable=False),
    sa.Column('reason', sa.String(length=64), nullable=True),
    sa.Column('note', sa.Text(), nullable=False),
    sa.Column('by', sa.String(length=16), nullable=True),
    sa.Column('id', sa.String(length=16), nullable=False),
    sa.Column('salt', sa.String(), nullable=False),
    sa.ForeignKeyConstraint(['by'], ['account.id'], name=op.f('fk_contact_by_account')),
    sa.ForeignKeyConstraint(['seat_id'], ['seat.id'], name=op.f('fk_contact_seat_id_seat')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_contact'))
    )
    with op.batch_alter_table('contact', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_contact_seat_id'), ['seat_id'], unique=False)

    op.create_table('panel',
    sa.Column('draw_id', sa.String(length=16), nullable=False),
    sa.Column('round_id', sa.String(length=16), nullable=False),
    sa.Column('stage', sa.String(length=64), nullable=False),
    sa.Column('code', sa.String(length=64), nullable=False),
    sa.Column('leader_seat_id', sa.String(length=16), nullable=True),
    sa.Column('recorder_id', sa.String(length=16), nullable=True),
    sa.Column('created_at', app.db.Moment(timezone=True), nullable=False),
    sa.Column('id', sa.String(length=16), nullable=False),
    sa.Column('salt', sa.String(), nullable=False),
    sa.ForeignKeyConstraint(['draw_id'], ['draw.id'], name=op.f('fk_panel_draw_id_draw')),
    sa.ForeignKeyConstraint(['leader_seat_id'], ['seat.id'], name=op.f('fk_panel_leader_seat_id_seat')),
    sa.ForeignKeyConstraint(['recorder_id'], ['account.id'], name=op.f('fk_panel_recorder_id_account')),
    sa.ForeignKeyConstraint(['round_id'], ['round.id'], name=op.f('fk_panel_round_id_round')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_panel')),
    sa.UniqueConstraint('draw_id', 'code', name=op.f('uq_panel_draw_id_code'))
    )
    with op.batch_alter_table('panel', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_panel_draw_id'), ['draw_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_panel_round_id'), ['round_id'], unique=False)

    op.create_table('signature',
    sa.Column('report_id', sa.String(length=16), nullable=False),
    sa.Column('expert_id', sa.String(length=16), nullable=False),
    sa.Column('state', sa.String(length=64), nullable=False),
    sa.Column('text', sa.Text(), nullable=False),
    sa.Column('at', app.db.Moment(timezone=True), nullable=False),
    sa.Column('id', sa.String(length=16), nullable=False),
    sa.Column('salt', sa.String(), nullable=False),
    sa.CheckConstraint("state IN ('signed', 'dissent', 'refused')", name=op.f('ck_signature_state')),
    sa.ForeignKeyConstraint(['expert_id'], ['expert.id'], name=op.f('fk_signature_expert_id_expert')),
    sa.ForeignKeyConstraint(['report_id'], ['report.id'], name=op.f('fk_signature_report_id_report')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_signature')),
    sa.UniqueConstraint('report_id', 'expert_id', name=op.f('uq_signature_report_id_expert_id'))
    )
    with op.batch_alter_table('signature', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_signature_report_id'), ['report_id'], unique=False)

    op.create_table('declaration',
    sa.Column('panel_id', sa.String(length=16), nullable=False),
    sa.Column('seat_id', sa.String(length=16), nullable=False),
    sa.Column('kind', sa.String(length=64), nullable=False),
    sa.Column('text_digest', sa.String(length=64), nullable=False),
    sa.Column('answers', sa.JSON(), nullable=False),
    sa.Column('signed_name', sa.String(length=200), nullable=False),
    sa.Column('signed_at', app.db.Moment(timezone=True), nullable=False),
    sa.Column('id', sa.String(length=16), nullable=False),
    sa.Column('salt', sa.String(), nullable=False),
    sa.CheckConstraint("kind IN ('conflict', 'secrecy')", name=op.f('ck_declaration_kind')),
    sa.ForeignKeyConstraint(['panel_id'], ['panel.id'], name=op.f('fk_declaration_panel_id_panel')),
    sa.ForeignKeyConstraint(['seat_id'], ['seat.id'], name=op.f('fk_declaration_seat_id_seat')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_declaration')),
    sa.UniqueConstraint('panel_id', 'seat_id', 'kind', name=op.f('uq_declaration_panel_id_seat_id_kind'))
    )
    with op.batch_alter_table('declaration', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_declaration_panel_id'), ['panel_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_declaration_seat_id'), ['seat_id'], unique=False)

    op.create_table('sitting',
    sa.Column('panel_id', sa.String(length=16), nullable=False),
    sa.Column('subject_id', sa.String(length=16), nullable=False),
    sa.Column('position', sa.Integer(), nullable=False),
    sa.Column('on', sa.Date(), nullable=False),
    sa.Column('place', sa.String(length=200), nullable=False),
    sa.Column('with_statement', sa.Boolean(), nullable=False),
    sa.Column('phase', sa.String(length=64), nullable=False),
    sa.Column('opened_at', app.db.Moment(timezone=True), nullable=True),
    sa.Column('scoring_opened_at', app.db.Moment(timezone=True), nullable=True),
    sa.Column('closed_at', app.db.Moment(timezone=True), nullable=True),
    sa.Column('id', sa.String(length=16), nullable=False),
    sa.Column('salt', sa.String(), nullable=False),
    sa.CheckConstraint("phase IN ('planned', 'open', 'statement', 'scoring', 'closed')", name=op.f('ck_sitting_phase')),
    sa.ForeignKeyConstraint(['panel_id'], ['panel.id'], name=op.f('fk_sitting_panel_id_panel')),
    sa.ForeignKeyConstraint(['subject_id'], ['subject.id'], name=op.f('fk_sitting_subject_id_subject')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_sitting')),
    sa.UniqueConstraint('panel_id', 'subject_id', name=op.f('uq_sitting_panel_id_subject_id'))
    )
    with op.batch_alter_table('sitting', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_sitting_panel_id'), ['panel_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_sitting_subject_id'), ['subject_id'], unique=False)

    op.create_table('attendance',
    sa.Column('sitting_id', sa.String(length=16), nullable=False),
    sa.Column('seat_id', sa.String(length=16), nullable=False),
    sa.Column('signed_in_at', app.db.Moment(timezone=True), nullable=False),
    sa.Column('signed_out_at', app.db.Moment(timezone=True), nullable=True),
    sa.Column('id', sa.String(length=16), nullable=False),
    sa.Column('salt', sa.String(), nullable=False),
    sa.ForeignKeyConstraint(['seat_id'], ['seat.id'], name=op.f('fk_attendance_seat_id_seat')),
    sa.ForeignKeyConstraint(['sitting_id'], ['sitting.id'], name=op.f('fk_attendance_sitting_id_sitting')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_attendance')),
    sa.UniqueConstraint('sitting_id', 'seat_id', name=op.f('uq_attendance_sitting_id_seat_id'))
    )
    with op.batch_alter_table('attendance', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_attendance_seat_id'), ['seat_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_attendance_sitting_id'), ['sitting_id'], unique=False)

    op.create_table('challenge',
    sa.Column('sitting_id', sa.String(length=16), nullable=False),
    sa.Column('seat_id', sa.String(length=16), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('raised_by', sa.String(length=16), nullable=True),
    sa.Column('raised_at', app.db.Moment(timezone=True), nullable=False),
    sa.Column('decision', sa.String(length=64), nullable=True),
    sa.Column('decision_reason', sa.Text(), nullable=False),
    sa.Column('decided_by', sa.String(length=16), nullable=True),
    sa.Column('decided_at', app.db.Moment(timezone=True), nullable=True),
    sa.Column('id', sa.String(length=16), nullable=False),
    sa.Column('salt', sa.String(), nullable=False),
    sa.ForeignKeyConstraint(['decided_by'], ['account.id'], name=op.f('fk_challenge_decided_by_account')),
    sa.ForeignKeyConstraint(['raised_by'], ['account.id'], name=op.f('fk_challenge_raised_by_account')),
    sa.ForeignKeyConstraint(['seat_id'], ['seat.id'], name=op.f('fk_challenge_seat_id_seat')),
    sa.ForeignKeyConstraint(['sitting_id'], ['sitting.id'], name=op.f('fk_challenge_sitting_id_sitting')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_challenge'))
    )
    with op.batch_alter_table('challenge', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_challenge_sitting_id'), ['sitting_id'], unique=False)

    op.create_table('sheet',
    sa.Column('sitting_id', sa.String(length=16), nullable=False),
    sa.Column('seat_id', sa.String(length=16), nullable=False),
    sa.Column('form_version_id', sa.String(length=16), nullable=False),
    sa.Column('instrument', sa.JSON(), nullable=False),
    sa.Column('instrument_digest', sa.String(length=64), nullable=False),
    sa.Column('revision', sa.Integer(), nullable=False),
    sa.Column('state', sa.String(length=64), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('entries', sa.JSON(), nullable=False),
    sa.Column('marked', app.db.Exact(length=40), nullable=True),
    sa.Column('saved_at', app.db.Moment(timezone=True), nullable=False),
    sa.Column('sealed_at', app.db.Moment(timezone=True), nullable=True),
    sa.Column('receipt', sa.String(length=64), nullable=True),
    sa.Column('receipt_seq', sa.Integer(), nullable=True),
    sa.Column('supersedes_id', sa.String(length=16), nullable=True),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('id', sa.String(length=16), nullable=False),
    sa.Column('salt', sa.String(), nullable=False),
    sa.CheckConstraint("state IN ('draft', 'sealed', 'superseded', 'recused', 'absent')", name=op.f('ck_sheet_state')),
    sa.ForeignKeyConstraint(['form_version_id'], ['form_version.id'], name=op.f('fk_sheet_form_version_id_form_version')),
    sa.ForeignKeyConstraint(['seat_id'], ['seat.id'], name=op.f('fk_sheet_seat_id_seat')),
    sa.ForeignKeyConstraint(['sitting_id'], ['sitting.id'], name=op.f('fk_sheet_sitting_id_sitting')),
    sa.ForeignKeyConstraint(['supersedes_id'], ['sheet.id'], name=op.f('fk_sheet_supersedes_id_sheet')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_sheet')),
    sa.UniqueConstraint('sitting_id', 'seat_id', 'revision', name=op.f('uq_sheet_sitting_id_seat_id_revision'))
    )
    with op.batch_alter_table('sheet', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_sheet_seat_id'), ['seat_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_sheet_sitting_id'), ['sitting_id'], unique=False)

    op.create_table('statement',
    sa.Column('sitting_id', sa.String(length=16), nullable=False),
    sa.Column('presenter_id', sa.String(length=16), nullable=True),
    sa.Column('presenter_name', sa.String(length=200), nullable=False),
    sa.Column('presenter_post', sa.String(length=200), nullable=False),
    sa.Column('proxy', sa.String(length=200), nullable=False),
    sa.Column('outline', sa.Text(), nullable=False),
    sa.Column('questions', sa.Text(), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('opened_at', app.db.Moment(timezone=True), nullable=False),
    sa.Column('closed_at', app.db.Moment(timezone=True), nullable=True),
    sa.Column('recorded_by', sa.String(length=16), nullable=True),
    sa.Column('confirmed_at', app.db.Moment(timezone=True), nullable=True),
    sa.Column('id', sa.String(length=16), nullable=False),
    sa.Column('salt', sa.String(), nullable=False),
    sa.ForeignKeyConstraint(['presenter_id'], ['person.id'], name=op.f('fk_statement_presenter_id_person')),
    sa.ForeignKeyConstraint(['recorded_by'], ['account.id'], name=op.f('fk_statement_recorded_by_account')),
    sa.ForeignKeyConstraint(['sitting_id'], ['sitting.id'], name=op.f('fk_statement_sitting_id_sitting')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_statement')),
    sa.UniqueConstraint('sitting_id', name=op.f('uq_statement_sitting_id'))
    )

    for table in APPEND_ONLY:
        for statement in append_only_ddl(table, op.get_bind().dialect.name):
            op.execute(statement)


def downgrade() -> None:
    op.drop_table('statement')
    with op.batch_alter_table('sheet', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_sheet_sitting_id'))
        batch_op.drop_index(batch_op.f('ix_sheet_seat_id'))

    op.drop_table('sheet')
    with op.batch_alter_table('challenge', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_challenge_sitting_id'))

    op.drop_table('challenge')
    with op.batch_alter_table('attendance', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_attendance_sitting_id'))
        batch_op.drop_index(batch_op.f('ix_attendance_seat_id'))

    op.drop_table('attendance')
    with op.batch_alter_table('sitting', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_sitting_subject_id'))
        batch_op.drop_index(batch_op.f('ix_sitting_panel_id'))

    op.drop_table('sitting')
    with op.batch_alter_table('declaration', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_declaration_seat_id'))
        batch_op.drop_index(batch_op.f('ix_declaration_panel_id'))

    op.drop_table('declaration')
    with op.batch_alter_table('signature', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_signature_report_id'))

    op.drop_table('signature')
    with op.batch_alter_table('panel', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_panel_round_id'))
        batch_op.drop_index(batch_op.f('ix_panel_draw_id'))

    op.drop_table('panel')
    with op.batch_alter_table('contact', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_contact_seat_id'))

    op.drop_table('contact')
    with op.batch_alter_table('seat', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_seat_expert_id'))
        batch_op.drop_index(batch_op.f('ix_seat_draw_id'))

    op.drop_table('seat')
    with op.batch_alter_table('report', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_report_round_id'))

    op.drop_table('report')
    with op.batch_alter_table('party', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_party_draw_id'))

    op.drop_table('party')
    with op.batch_alter_table('opinion', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_opinion_subject_id'))

    op.drop_table('opinion')
    with op.batch_alter_table('material', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_material_subject_id'))

    op.drop_table('material')
    with op.batch_alter_table('guidance', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_guidance_subject_id'))
        batch_op.drop_index(batch_op.f('ix_guidance_round_id'))

    op.drop_table('guidance')
    with op.batch_alter_table('figure', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_figure_subject_id'))

    op.drop_table('figure')
    with op.batch_alter_table('dice', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_dice_draw_id'))

    op.drop_table('dice')
    with op.batch_alter_table('candidate', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_candidate_expert_id'))
        batch_op.drop_index(batch_op.f('ix_candidate_draw_id'))

    op.drop_table('candidate')
    with op.batch_alter_table('act', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_act_draw_id'))

    op.drop_table('act')
    with op.batch_alter_table('subject', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_subject_round_id'))

    op.drop_table('subject')
    with op.batch_alter_table('screening', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_screening_expert_id'))

    op.drop_table('screening')
    with op.batch_alter_table('sanction', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_sanction_expert_id'))

    op.drop_table('sanction')
    with op.batch_alter_table('run', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_run_round_id'))

    op.drop_table('run')
    with op.batch_alter_table('interest', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_interest_region_code'))
        batch_op.drop_index(batch_op.f('ix_interest_expert_id'))

    op.drop_table('interest')
    with op.batch_alter_table('form_pin', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_form_pin_round_id'))

    op.drop_table('form_pin')
    with op.batch_alter_table('draw', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_draw_round_id'))
        batch_op.drop_index('ix_draw_one_open', sqlite_where=sa.text("state IN ('committed', 'cosigned')"), postgresql_where=sa.text("state IN ('committed', 'cosigned')"))
        batch_op.drop_index('ix_draw_one_completed', sqlite_where=sa.text("state = 'completed'"), postgresql_where=sa.text("state = 'completed'"))

    op.drop_table('draw')
    with op.batch_alter_table('absence', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_absence_expert_id'))

    op.drop_table('absence')
    with op.batch_alter_table('sign_in', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_sign_in_account_id'))

    op.drop_table('sign_in')
    op.drop_table('round')
    with op.batch_alter_table('role_grant', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_role_grant_person_id'))
        batch_op.drop_index('ix_role_grant_one_live_role', sqlite_where=sa.text('until IS NULL'), postgresql_where=sa.text('until IS NULL'))

    op.drop_table('role_grant')
    with op.batch_alter_table('recovery_code', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_recovery_code_account_id'))

    op.drop_table('recovery_code')
    op.drop_table('invitation')
    with op.batch_alter_table('form_version', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_form_version_form_id'))

    op.drop_table('form_version')
    with op.batch_alter_table('expert', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_expert_status'))
        batch_op.drop_index(batch_op.f('ix_expert_region_code'))
        batch_op.drop_index(batch_op.f('ix_expert_discipline'))

    op.drop_table('expert')
    with op.batch_alter_table('county_tie', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_county_tie_region_code'))
        batch_op.drop_index(batch_op.f('ix_county_tie_person_name'))

    op.drop_table('county_tie')
    op.drop_table('ledger_secret')
    with op.batch_alter_table('employment', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_employment_person_id'))
        batch_op.drop_index(batch_op.f('ix_employment_organisation_id'))

    op.drop_table('employment')
    op.drop_table('account')
    op.drop_table('throttle')
    op.drop_table('region_change')
    with op.batch_alter_table('region', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_region_parent_code'))
        batch_op.drop_index(batch_op.f('ix_region_code'))

    op.drop_table('region')
    with op.batch_alter_table('person', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_person_phone_index'))
        batch_op.drop_index(batch_op.f('ix_person_name'))

    op.drop_table('person')
    with op.batch_alter_table('organisation', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_organisation_region_code'))
        batch_op.drop_index(batch_op.f('ix_organisation_parent_id'))
        batch_op.drop_index(batch_op.f('ix_organisation_name'))

    op.drop_table('organisation')
    op.drop_table('ledger_head')
    op.drop_table('ledger_event')
    with op.batch_alter_table('ledger_checkpoint', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_ledger_checkpoint_size'))

    op.drop_table('ledger_checkpoint')
    if op.get_bind().dialect.name == "postgresql":
        for table in APPEND_ONLY:
            op.execute(f"DROP FUNCTION IF EXISTS {table}_refuse()")
